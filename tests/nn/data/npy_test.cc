// Arrays of every type, and of other dimensions than the network's.
#include <cmath>
#include <limits>

#include "base/files.h"
#include "nn/data/dataset.h"
#include "tests/base/temporary_directory.h"
#include "tests/nn/data/npy_bytes.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

class NpyTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const Bytes& bytes) {
    write_file(directory_.path() / name, bytes);
    return (directory_.path() / name).string();
  }
  template <typename T>
  std::vector<float> floats(const std::string& type, const std::vector<T>& values) {
    return load_dataset("npy:" + write("x.npy", npy<T>(type, std::to_string(values.size()) + ", 1", values)))
        .floats;
  }
  /// The numbers from 0 on in an array of this shape, read for a network.
  Dataset counted(const std::string& shape, std::size_t count, const Shape& expected,
                  const InputForm& form = {}) {
    std::vector<std::uint8_t> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>(i);
    return load_dataset("npy:" + write("x.npy", npy("|u1", shape, values)), {}, expected, {form, {}, {}});
  }
  std::string refused(const std::string& shape, std::size_t count, const Shape& expected,
                      const InputForm& form = {}) {
    return error_of([&] { counted(shape, count, expected, form); });
  }
  TemporaryDirectory directory_;
};

using Floats = std::vector<float>;

TEST_F(NpyTest, NumbersOfEveryType) {
  EXPECT_EQ(floats<double>("<f8", {1.5, -2, 1e-50}), (Floats{1.5F, -2, 0}));
  EXPECT_EQ(floats<float>("<f4", {1.5F, -2}), (Floats{1.5F, -2}));
  // Half precision: 1, -2, 65504, the least positive (2^-24), 1/3 rounded.
  EXPECT_EQ(floats<std::uint16_t>("<f2", {0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555}),
            (Floats{1, -2, 65504, std::ldexp(1.0F, -24), 0.333251953125F}));
  EXPECT_EQ(floats<std::int8_t>("|i1", {-128, 127}), (Floats{-128, 127}));
  EXPECT_EQ(floats<std::int16_t>("<i2", {-32768, 255}), (Floats{-32768, 255}));
  EXPECT_EQ(floats<std::uint16_t>("<u2", {65535, 1}), (Floats{65535, 1}));
  EXPECT_EQ(floats<std::int32_t>("<i4", {-7, 200}), (Floats{-7, 200}));
  EXPECT_EQ(floats<std::int64_t>("<i8", {-7, 200}), (Floats{-7, 200}));
  EXPECT_EQ(floats<std::uint64_t>("<u8", {UINT64_MAX, 3}), (Floats{18446744073709551616.0F, 3}));
  EXPECT_EQ(floats<std::uint8_t>("|b1", {0, 1}), (Floats{0, 1}));
  // The bytes of 1.5 and of 258, the most significant first.
  EXPECT_EQ(floats<std::uint32_t>(">f4", {0x0000c03f}), (Floats{1.5F}));
  EXPECT_EQ(floats<std::uint16_t>(">i2", {0x0201}), (Floats{258}));
}

TEST_F(NpyTest, OtherNumbersThanBytesAreNotDivided) {
  const auto path = write("x.npy", npy<double>("<f8", "1, 2", {0.5, 2}));
  EXPECT_EQ(load_dataset("npy:" + path).input(0, {}).data, (Floats{0.5F, 2}));
  EXPECT_EQ(load_dataset("npy:" + path).input(0, Normalization::parse("scale=2")).data, (Floats{0.25F, 1}));
  const auto bytes = write("y.npy", npy<std::uint8_t>("|u1", "1, 2", {51, 255}));
  EXPECT_EQ(load_dataset("npy:" + bytes).input(0, {}).data, (Floats{0.2F, 1}));
}

TEST_F(NpyTest, NumbersThatAreNoneAreRefused) {
  expect_contains(error_of([&] { floats<double>("<f8", {1, 1e300}); }), {"image 1", "1e+300", "finite"});
  expect_contains(error_of([&] { floats<double>("<f8", {std::numeric_limits<double>::quiet_NaN()}); }),
                  {"nan"});
  expect_contains(error_of([&] { floats<std::uint16_t>("<f2", {0x7c00}); }), {"inf"});
}

TEST_F(NpyTest, TheNetworksOwnDimensionsAreTakenAsTheyAre) {
  const auto expect_as_it_is = [&](const std::string& shape, std::size_t count, const Shape& expected,
                                   const InputForm& form = {}) {
    const Dataset data = counted(shape, count, expected, form);
    EXPECT_EQ(data.shape, expected) << shape;
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(data.bytes[i], i) << shape;
    EXPECT_TRUE(data.notes.empty()) << shape;
  };
  expect_as_it_is("2, 1, 3, 4", 24, {1, 3, 4});
  expect_as_it_is("2, 3, 4", 24, {1, 3, 4});
  expect_as_it_is("2, 3, 4, 1", 24, {1, 3, 4});
  expect_as_it_is("2, 12", 24, {1, 3, 4});  // flat, and there are no channels
  expect_as_it_is("2, 12", 24, {12, 1, 1});
  expect_as_it_is("2, 3, 2, 2", 24, {12, 1, 1});
  expect_as_it_is("2, 2, 6", 24, {2, 6, 1}, {{2, 6}, false});
  expect_as_it_is("2, 2, 6", 24, {2, 1, 6}, {{2, 6}, false});
  expect_as_it_is("1, 3, 4", 12, {1, 3, 4});  // one image
  expect_as_it_is("3,", 3, {1, 1, 1});        // a number for each image
}

TEST_F(NpyTest, ChannelsLastBecomeChannelsFirst) {
  // Value 3 i + c is channel c of pixel i.
  const auto expect_turned = [](const Dataset& data) {
    for (std::size_t n = 0; n < 2; ++n) {
      for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(data.bytes[12 * n + 4 * c + i], 12 * n + 3 * i + c);
      }
    }
  };
  const Dataset nhwc = counted("2, 1, 4, 3", 24, {3, 1, 4}, {{1, 4, 3}, true});
  expect_turned(nhwc);
  EXPECT_TRUE(nhwc.notes.empty());
  const Dataset other = counted("2, 2, 2, 3", 24, {3, 2, 2});
  expect_turned(other);
  expect_contains(other.notes.at(0), {"(2, 2, 2, 3)", "NHWC", "transpose(0, 3, 1, 2)", "(N, 3, 2, 2)"});
  const Dataset reverse = counted("2, 3, 2, 2", 24, {3, 2, 2}, {{2, 2, 3}, true});
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(reverse.bytes[i], i);
  expect_contains(reverse.notes.at(0), {"NCHW", "(N, 2, 2, 3)"});
  // Of a cube both would fit: the network's own order counts.
  EXPECT_TRUE(counted("1, 3, 3, 3", 27, {3, 3, 3}).notes.empty());
  EXPECT_EQ(counted("1, 3, 3, 3", 27, {3, 3, 3}).bytes[1], 1);
  EXPECT_EQ(counted("1, 3, 3, 3", 27, {3, 3, 3}, {{3, 3, 3}, true}).bytes[1], 3);
}

TEST_F(NpyTest, RefusalsSayWhatToSave) {
  expect_contains(refused("3, 2, 2", 12, {3, 2, 2}), {"(3, 2, 2)", "one image", "x[None]", "(N, 3, 2, 2)"});
  expect_contains(refused("2, 2, 3", 12, {3, 2, 2}), {"one image", "x[None]"});
  expect_contains(refused("12,", 12, {12, 1, 1}), {"(12,)", "one image", "(N, 12)"});
  expect_contains(refused("2, 12", 24, {3, 2, 2}), {"(2, 12)", "flat", "reshape(-1, 3, 2, 2)"});
  expect_contains(refused("2, 4, 4, 3", 96, {3, 2, 2}), {"(2, 4, 4, 3)", "(N, 3, 2, 2)"});
  expect_contains(refused("2, 5", 10, {12, 1, 1}), {"(2, 5)", "(N, 12)"});
}

TEST_F(NpyTest, NamesMayHoldCommas) {
  const Bytes x = npy<std::uint8_t>("|u1", "2, 1", {5, 6}), y = npy<std::uint8_t>("|u1", "2,", {1, 0});
  const std::string images = write("with,comma.npy", x), labels = write("y,2.npy", y);
  EXPECT_EQ(load_dataset("npy:" + images).bytes, (std::vector<std::uint8_t>{5, 6}));
  EXPECT_EQ(load_dataset("npy:" + images + "," + labels).labels, (std::vector<int>{1, 0}));
  expect_contains(error_of([&] { load_dataset("npy:" + images + "x," + labels); }),
                  {"no such file", "comma"});
}

TEST_F(NpyTest, LabelsSayWhatToSave) {
  const std::string x = write("x.npy", npy<std::uint8_t>("|u1", "2, 1", {5, 6}));
  const auto error = [&](const Bytes& labels) {
    return error_of([&] { load_dataset("npy:" + x + "," + write("y.npy", labels)); });
  };
  expect_contains(error(npy<float>("<f4", "2,", {1, 0})), {"y.npy", "<f4", "astype(\"int64\")"});
  expect_contains(error(npy<std::uint8_t>("|u1", "2, 1", {1, 0})), {"(2, 1)", "ravel()"});
  expect_contains(error(npy<std::uint8_t>("|u1", "2, 2", {1, 0, 0, 1})), {"(2, 2)", "argmax(1)"});
  expect_contains(error(npy<std::uint8_t>("|u1", "1,", {1})), {"(1,)", "2 images"});
  expect_contains(error(npy<std::uint64_t>("<U4", "2,", {1, 2, 3, 4})), {"<U4", "--labels"});
  expect_contains(error(npy<std::int16_t>("<i2", "2,", {1, -5})), {"label 1 is -5"});
}

}  // namespace
}  // namespace ap::nn
