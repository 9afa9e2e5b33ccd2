#include "nn/data/framing.h"

#include <cmath>
#include <functional>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

using Pixels = std::vector<std::uint8_t>;

/// A pattern without symmetry.
Picture pattern(int height, int width, int channels) {
  Picture p{channels, height, width, {}, false, false, false};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c)
        p.pixels.push_back(static_cast<std::uint8_t>(x * 29 + y * 53 + c * 71 + x * y * 7));
    }
  }
  return p;
}

TEST(Framing, ScalesAsPilDoes) {
  // Image.resize((4, 5), BILINEAR) of PIL 9.4.
  EXPECT_EQ(scaled(pattern(9, 13, 3), {5, 4}).pixels,
            (Pixels{77,  137, 152, 138, 139, 93,  125, 114, 125, 113, 114, 141, 136, 127, 118,
                    121, 116, 147, 140, 118, 133, 136, 111, 143, 100, 111, 128, 133, 143, 123,
                    126, 126, 136, 118, 115, 120, 108, 119, 114, 121, 131, 134, 121, 113, 107,
                    105, 112, 117, 147, 128, 116, 155, 152, 139, 154, 139, 125, 136, 131, 122}));
  // The first two rows of convert("L").resize((17, 11), BILINEAR).
  const Picture up = scaled(with_channels(pattern(9, 13, 3), 1), {11, 17});
  EXPECT_EQ(Pixels(up.pixels.begin(), up.pixels.begin() + 34),
            (Pixels{58, 77,  99,  121, 143, 145, 159, 181, 203, 110, 96,  96,  65,  87,  109, 131, 150,
                    97, 118, 136, 149, 176, 119, 110, 124, 107, 102, 118, 132, 128, 155, 116, 97,  119}));
}

/// The rule of framing.h word by word, in real numbers: what an output pixel is made of along one axis.
double mixed(const std::function<double(int)>& input, int in, int out, int i) {
  const double ratio = static_cast<double>(in) / out, half_width = std::max(1.0, ratio),
               centre = (i + 0.5) * ratio;
  double sum = 0, weights = 0;
  for (int k = 0; k < in; ++k) {
    const double weight = std::max(0.0, 1 - std::abs(k + 0.5 - centre) / half_width);
    weights += weight;
    sum += weight * input(k);
  }
  return sum / weights;
}

TEST(Framing, ScalesByTheRule) {
  for (const auto& [from, to] : std::vector<std::pair<Extent, Extent>>{{{1, 1}, {3, 5}},
                                                                       {{7, 5}, {7, 5}},
                                                                       {{31, 17}, {4, 29}},
                                                                       {{64, 64}, {8, 8}},
                                                                       {{5, 40}, {11, 3}},
                                                                       {{100, 3}, {1, 1}}}) {
    const Picture p = pattern(from.height, from.width, 1);
    const Picture got = scaled(p, to);
    ASSERT_EQ(got.pixels.size(), static_cast<std::size_t>(to.height * to.width));
    for (int y = 0; y < to.height; ++y) {
      for (int x = 0; x < to.width; ++x) {
        const auto along_row = [&](int row) {
          return std::round(mixed(
              [&](int k) {
                return static_cast<double>(p.pixels[static_cast<std::size_t>(row * from.width + k)]);
              },
              from.width, to.width, x));
        };
        const double wanted = mixed(along_row, from.height, to.height, y);
        // A half may have been rounded either way, twice.
        ASSERT_NEAR(got.pixels[static_cast<std::size_t>(y * to.width + x)], wanted, 1.01) << y << " " << x;
      }
    }
  }
}

TEST(Framing, ShorterSideAndMiddle) {
  const Framing torch = Framing::parse("resize=256 crop=224");
  EXPECT_EQ(torch.size_of({480, 640}, "x"), (Extent{224, 224}));
  EXPECT_EQ(Framing::parse("resize=256").size_of({480, 641}, "x"), (Extent{256, 341}));
  EXPECT_EQ(Framing::parse("resize=256").size_of({641, 480}, "x"), (Extent{341, 256}));
  EXPECT_EQ(Framing::parse("resize=20x30").size_of({641, 480}, "x"), (Extent{20, 30}));
  // From row round(1.5) = 2 and column round(2.5) = 2: halves to the even number.
  const Picture p = pattern(6, 8, 1), got = Framing::parse("crop=3").apply(p, "x");
  EXPECT_EQ(got.height, 3);
  EXPECT_EQ(got.width, 3);
  EXPECT_EQ(got.pixels[0], p.pixels[2 * 8 + 2]);
  EXPECT_EQ(got.pixels[8], p.pixels[4 * 8 + 4]);
  EXPECT_EQ(Framing{}.apply(p, "x").pixels, p.pixels);
}

TEST(Framing, ParsesAndPrints) {
  for (const char* text :
       {"", "resize=256", "resize=256x128", "crop=224", "resize=256 crop=224x192", "resize=7x9 crop=5"})
    EXPECT_EQ(Framing::parse(text).to_string(), text);
  EXPECT_EQ(Framing::parse("  crop=5x5   resize=9 ").to_string(), "resize=9 crop=5");
  for (const char* text :
       {"resize", "resize=", "resize=0", "resize=-1", "resize=1x", "resize=x1", "resize=1x2x3", "crop=16385",
        "scale=2", "resize=1 resize=2", "resize=1x1 resize=2", "crop=1 crop=1"}) {
    EXPECT_FALSE(error_of([&] { Framing::parse(text); }).empty()) << text;
  }
}

TEST(Framing, RefusesWhatDoesNotFit) {
  expect_contains(error_of([] {
                    Framing::parse("crop=224").size_of({100, 300}, "a.png");
                  }),
                  {"a.png", "100 rows", "300 columns", "--crop", "--resize 224"});
  expect_contains(error_of([] {
                    Framing::parse("resize=100 crop=224").size_of({10, 10}, "a.png");
                  }),
                  {"when scaled"});
  expect_contains(error_of([] {
                    Framing::parse("resize=1000").size_of({1, 1000}, "a.png");
                  }),
                  {"a.png", "1000000x1000"});
  expect_contains(error_of([] {
                    Framing::parse("resize=16384x16384").size_of({1, 1}, "a.png");
                  }),
                  {"16384x16384"});
}

}  // namespace
}  // namespace ap::nn
