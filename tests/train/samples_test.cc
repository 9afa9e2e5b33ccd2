#include "train/samples.h"

#include <set>

#include "tests/train/support.h"

namespace ap::train {
namespace {

TEST(Samples, PartsAreDisjointAndComplete) {
  const Samples samples = stripes(103);
  const auto [train_set, held_out] = split(samples, 0.1);
  EXPECT_EQ(held_out.size(), 10U);
  EXPECT_EQ(train_set.size() + held_out.size(), 103U);
  std::set<std::uint32_t> all(train_set.which.begin(), train_set.which.end());
  all.insert(held_out.which.begin(), held_out.which.end());
  EXPECT_EQ(all.size(), 103U);
  EXPECT_EQ(split(samples, 0).second.size(), 0U);
  EXPECT_EQ(subset(samples, 20).size(), 20U);
  EXPECT_EQ(subset(samples, 500).size(), 103U);
  const Samples two = of_classes(samples, 2);
  for (std::size_t i = 0; i < two.size(); ++i) EXPECT_LT(two.label(i), 2);
  EXPECT_EQ(two.size(), 69U);
}

TEST(Samples, AreAssembledAsTheDataSetGivesThem) {
  const Samples samples = subset(stripes(30), 10);
  const std::vector<std::uint32_t> positions = {7, 2};
  std::vector<float> out(2 * 72);
  assemble(samples, positions, {}, 1, out);
  for (std::size_t i = 0; i < 2; ++i) {
    const nn::Tensor wanted = image(samples, positions[i]);
    for (std::size_t k = 0; k < 72; ++k) EXPECT_FLOAT_EQ(out[i * 72 + k], wanted.data[k]);
  }
}

TEST(Samples, AugmentationMirrorsAndShifts) {
  const Samples samples = stripes(200);
  std::vector<std::uint32_t> positions(200);
  for (std::uint32_t i = 0; i < 200; ++i) positions[i] = i;
  std::vector<float> out(200 * 72), again(200 * 72);
  assemble(samples, positions, {true, 1}, 5, out);
  assemble(samples, positions, {true, 1}, 5, again);
  EXPECT_EQ(out, again);
  const auto outside = static_cast<float>(normalization().apply(0, 0, nn::Pixel::byte));
  std::set<int> met;
  for (std::size_t i = 0; i < 200; ++i) {
    const nn::Tensor from = image(samples, i);
    // Exactly one of the 18 possible changes explains the image.
    int explained = 0;
    for (int change = 0; change < 18; ++change) {
      const int dx = change % 3 - 1, dy = change / 3 % 3 - 1;
      bool same = true;
      for (int c = 0, k = 0; c < 2; ++c) {
        for (int y = 0; y < 6; ++y) {
          for (int x = 0; x < 6; ++x, ++k) {
            const int fy = y + dy, fx = (change >= 9 ? 5 - x : x) + dx;
            const bool inside = fy >= 0 && fy < 6 && fx >= 0 && fx < 6;
            const float wanted =
                inside ? from.data[static_cast<std::size_t>((c * 6 + fy) * 6 + fx)] : outside;
            same = same && std::abs(out[i * 72 + static_cast<std::size_t>(k)] - wanted) < 1e-6F;
          }
        }
      }
      if (!same) continue;
      ++explained;
      met.insert(change);
    }
    EXPECT_EQ(explained, 1) << i;
  }
  EXPECT_EQ(met.size(), 18U);
}

TEST(Samples, NeedLabels) {
  nn::Dataset data = striped_images(10, 1);
  data.labels.clear();
  EXPECT_NE(error_of([&] { all_of(data, normalization()); }).find("0 labels"), std::string::npos);
  EXPECT_NE(error_of([] {
              load_samples({}, {}, normalization(), nn::Shape{2, 6, 6});
            }).find("--data"),
            std::string::npos);
}

}  // namespace
}  // namespace ap::train
