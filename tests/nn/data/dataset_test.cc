#include "nn/data/dataset.h"

#include <gtest/gtest.h>
#include <lzma.h>
#include <png.h>
#include <zlib.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "base/files.h"
#include "tests/nn/data/npy_bytes.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

Bytes xz(const Bytes& data) {
  Bytes out(lzma_stream_buffer_bound(data.size()));
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, data.data(), data.size(), out.data(), &size,
                                    out.size()),
            LZMA_OK);
  out.resize(size);
  return out;
}

/// Records with known pixels: pixel p of image i is i + p (mod 256).
Bytes cifar(int images, int label_bytes) {
  Bytes out;
  for (int i = 0; i < images; ++i) {
    if (label_bytes == 2) out.push_back(99);
    out.push_back(static_cast<std::uint8_t>(i % 10));
    for (int p = 0; p < 3072; ++p) out.push_back(static_cast<std::uint8_t>(i + p));
  }
  return out;
}

Bytes idx(const std::vector<std::uint32_t>& dims, std::size_t values) {
  Bytes out = {0, 0, 8, static_cast<std::uint8_t>(dims.size())};
  for (const std::uint32_t d : dims) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(d >> shift));
  }
  for (std::size_t i = 0; i < values; ++i) out.push_back(static_cast<std::uint8_t>(i * 7));
  return out;
}

class DatasetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("ap_dataset_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const Bytes& bytes) {
    write_file(folder_ / name, bytes);
    return (folder_ / name).string();
  }
  std::string write_gzip(const std::string& name, const Bytes& bytes) {
    const std::string path = (folder_ / name).string();
    gzFile file = gzopen(path.c_str(), "wb");
    EXPECT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
              static_cast<int>(bytes.size()));
    gzclose(file);
    return path;
  }
  void write_png(const std::string& name, int channels, int height, int width, int value) {
    png_image png;
    std::memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    png.height = static_cast<png_uint_32>(height);
    png.width = static_cast<png_uint_32>(width);
    Bytes pixels;
    for (int i = 0; i < channels * height * width; ++i)
      pixels.push_back(static_cast<std::uint8_t>(value + i));
    ASSERT_TRUE(png_image_write_to_file(&png, (folder_ / name).c_str(), 0, pixels.data(), 0, nullptr));
  }
  std::string load_error(const std::string& argument, Range range = {}, std::optional<Shape> shape = {}) {
    return error_of([&] { load_dataset(argument, range, shape); });
  }
  std::filesystem::path folder_;
};

TEST_F(DatasetTest, CifarRecordsPlainAndCompressed) {
  const Bytes ten = cifar(7, 1), hundred = cifar(7, 2);
  for (const std::string& argument :
       {"cifar10:" + write("a.bin", ten), "cifar10:" + write("a.bin.xz", xz(ten)),
        "cifar10:" + write_gzip("a.gz", ten), "cifar100:" + write("b.bin", hundred),
        "cifar100:" + write("b.bin.xz", xz(hundred))}) {
    const Dataset all = load_dataset(argument);
    EXPECT_EQ(all.size(), 7U);
    EXPECT_EQ(all.shape, (Shape{3, 32, 32}));
    EXPECT_EQ(all.labels, (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
    const Dataset part = load_dataset(argument, {2, 5}, Shape{3, 32, 32});
    EXPECT_EQ(part.first, 2);
    EXPECT_EQ(part.labels, (std::vector<int>{2, 3, 4}));
    ASSERT_EQ(part.bytes.size(), 3U * 3072);
    for (std::size_t p = 0; p < 3072; ++p) ASSERT_EQ(part.bytes[3072 + p], static_cast<std::uint8_t>(3 + p));
    EXPECT_EQ(load_dataset(argument, {6, 100}).size(), 1U);
    expect_contains(load_error(argument, {7, 8}), {"7"});
    load_error(argument, {INT64_MAX - 1, INT64_MAX});
    load_error(argument, {3, 3});
    load_error(argument, {-1, 3});
  }
}

TEST_F(DatasetTest, OnlyTheWantedRecordsAreDecompressed) {
  // The end of the file is damaged, which nobody who wants only the beginning may notice.
  std::mt19937 random(1);
  Bytes data = cifar(60, 1);
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i % 3073 != 0) data[i] = static_cast<std::uint8_t>(random());
  }
  Bytes packed = xz(data);
  for (std::size_t i = packed.size() - 200; i < packed.size(); ++i) packed[i] ^= 0x55;
  const std::string file = write("damaged.bin.xz", packed);
  const Bytes got = load_dataset("cifar10:" + file, {0, 2}).bytes;
  EXPECT_TRUE(std::equal(got.begin(), got.begin() + 3072, data.begin() + 1));
  EXPECT_TRUE(std::equal(got.begin() + 3072, got.end(), data.begin() + 3074));
  expect_contains(load_error("cifar10:" + file), {"damaged"});
}

TEST_F(DatasetTest, DamagedCifarFilesAreRefused) {
  Bytes data = cifar(3, 1);
  data.pop_back();
  expect_contains(load_error("cifar10:" + write("short.bin", data)), {"cut off", "image 2", "3072 of 3073"});
  Bytes packed = xz(cifar(3, 1));
  packed.resize(packed.size() / 2);
  expect_contains(load_error("cifar10:" + write("short.xz", packed)), {"short.xz", "damaged or cut off"});
  packed.resize(7);
  expect_contains(load_error("cifar10:" + write("head.xz", packed)), {"damaged or cut off"});
  expect_contains(load_error("cifar10:" + write("other.bin", cifar(3, 2))), {"label 99", "10 classes"});
  expect_contains(load_error("cifar10:" + write("empty.bin", {})), {"no images"});
  const std::string gz = write_gzip("short.gz", cifar(3, 1));
  std::filesystem::resize_file(gz, std::filesystem::file_size(gz) - 20);
  expect_contains(load_error("cifar10:" + gz), {"short.gz", "cut off"});
}

TEST_F(DatasetTest, IdxFilesPlainAndCompressed) {
  const Bytes images = idx({5, 4, 3}, 60), labels = idx({5}, 5);
  write("t10k-images-idx3-ubyte", images);
  write_gzip("t10k-labels-idx1-ubyte.gz", labels);
  write_gzip("train-images-idx3-ubyte.gz", images);
  write("train-labels-idx1-ubyte", labels);
  for (const std::string scheme : {"mnist:", "mnist-train:"}) {
    const Dataset data = load_dataset(scheme + folder_.string(), {1, 4});
    EXPECT_EQ(data.shape, (Shape{1, 4, 3}));
    EXPECT_EQ(data.labels, (std::vector<int>{7, 14, 21}));
    ASSERT_EQ(data.bytes.size(), 36U);
    for (std::size_t i = 0; i < 36; ++i) EXPECT_EQ(data.bytes[i], static_cast<std::uint8_t>((i + 12) * 7));
    EXPECT_EQ(load_dataset(scheme + folder_.string(), {}, Shape{12, 1, 1}).shape, (Shape{12, 1, 1}));
    expect_contains(load_error(scheme + folder_.string(), {}, Shape{1, 3, 4}), {"1x4x3", "1x3x4"});
  }
}

TEST_F(DatasetTest, DamagedIdxFilesAreRefused) {
  expect_contains(load_error("mnist:" + folder_.string()), {"t10k-images-idx3-ubyte", ".gz"});
  const auto with = [&](const Bytes& images, const Bytes& labels) {
    write("t10k-images-idx3-ubyte", images);
    write("t10k-labels-idx1-ubyte", labels);
    return load_error("mnist:" + folder_.string());
  };
  expect_contains(with(idx({5, 4, 3}, 59), idx({5}, 5)), {"images-idx3", "cut off"});
  expect_contains(with(idx({5, 4, 3}, 60), idx({5}, 4)), {"labels-idx1", "cut off"});
  expect_contains(with(idx({5, 4, 3}, 60), idx({6}, 6)), {"5 images", "6 labels"});
  expect_contains(with(idx({5, 4, 3}, 60), idx({5, 1}, 5)), {"not an idx file"});
  expect_contains(with(idx({5, 0, 3}, 0), idx({5}, 5)), {"0x3"});
  expect_contains(with(idx({0, 4, 3}, 0), idx({0}, 0)), {"0 images"});
  expect_contains(with(idx({0xFFFFFFFF, 4096, 4096}, 10), idx({0xFFFFFFFF}, 5)), {"select fewer"});
  expect_contains(with({0, 0}, {}), {"cut off"});
}

TEST_F(DatasetTest, PngFoldersInOrderOfTheirNames) {
  write_png("b.png", 3, 2, 3, 100);
  write_png("a.PNG", 3, 2, 3, 0);
  write("notes.txt", {1});
  const Dataset data = load_dataset("images:" + folder_.string());
  EXPECT_EQ(data.shape, (Shape{3, 2, 3}));
  EXPECT_FALSE(data.has_labels());
  ASSERT_EQ(data.bytes.size(), 36U);
  // Interleaved RGB becomes planes: red of pixel p is 3 p.
  for (std::size_t p = 0; p < 6; ++p) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(data.bytes[c * 6 + p], 3 * p + c);
  }
  EXPECT_EQ(load_dataset("images:" + folder_.string(), {1, 2}).bytes[0], 100);
  EXPECT_EQ(load_dataset("images:" + folder_.string(), {}, Shape{1, 2, 3}).shape, (Shape{1, 2, 3}));
  expect_contains(load_error("images:" + folder_.string(), {}, Shape{3, 32, 32}), {"3x2x3", "3x32x32"});
  write_png("c.png", 3, 3, 3, 0);
  expect_contains(load_error("images:" + folder_.string()),
                  {"c.png", "3 rows and 3 columns", "a.PNG", "2 and 3", "--resize"});
}

TEST_F(DatasetTest, DamagedPngsAreRefused) {
  expect_contains(load_error("images:" + folder_.string()), {"no PNG or JPEG"});
  expect_contains(load_error("images:/no/such/folder"), {"/no/such/folder"});
  write_png("a.png", 1, 8, 8, 0);
  const Bytes good = read_file(folder_ / "a.png", 1 << 20);
  EXPECT_EQ(load_dataset("images:" + folder_.string()).shape, (Shape{1, 8, 8}));
  for (std::size_t size = 0; size < good.size() - 12; size += 3) {
    write("a.png", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    expect_contains(load_error("images:" + folder_.string()), {"a.png", "damaged"});
  }
}

TEST_F(DatasetTest, NumpyArrays) {
  std::vector<std::uint8_t> bytes(2 * 3 * 2 * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  const auto x = write("x.npy", npy("|u1", "2, 3, 2, 2", bytes));
  const auto y = write("y.npy", npy<std::int64_t>("<i8", "2,", {4, 1}));
  const Dataset data = load_dataset("npy:" + x + "," + y);
  EXPECT_EQ(data.shape, (Shape{3, 2, 2}));
  EXPECT_EQ(data.labels, (std::vector<int>{4, 1}));
  EXPECT_EQ(data.bytes, bytes);
  const auto f = write("f.npy", npy<float>("<f4", "3, 1, 2", {1, 2, 3, 4, 5, 6}));
  const Dataset floats = load_dataset("npy:" + f, {1, 3});
  EXPECT_EQ(floats.shape, (Shape{1, 1, 2}));
  EXPECT_FALSE(floats.has_labels());
  EXPECT_EQ(floats.size(), 2U);
  EXPECT_EQ(floats.floats, (std::vector<float>{3, 4, 5, 6}));
  EXPECT_EQ(floats.input(1, Normalization{1, {1}, {2}}).data, (std::vector<float>{2, 2.5F}));
  const auto y1 = write("y1.npy", npy<std::uint8_t>("|u1", "3,", {7, 8, 9}));
  EXPECT_EQ(load_dataset("npy:" + f + "," + y1, {1, 3}).labels, (std::vector<int>{8, 9}));
}

TEST_F(DatasetTest, DamagedNumpyArraysAreRefused) {
  const Bytes good = npy<std::uint8_t>("|u1", "2, 2, 2", std::vector<std::uint8_t>(8));
  for (std::size_t size = 0; size < good.size(); ++size) {
    load_error("npy:" +
               write("x.npy", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  const auto x = write("x.npy", good);
  const auto bad_type = write("d.npy", npy<double>("<c8", "1, 1, 1", {1}));
  expect_contains(load_error("npy:" + bad_type), {"<c8", "astype(\"float32\")"});
  expect_contains(load_error("npy:" + write("u.npy", npy<double>("<U2", "1, 1, 1", {1}))), {"<U2", "astype"});
  expect_contains(load_error("npy:" + write("b.npy", npy<double>("|b8", "1, 1, 1", {1}))), {"|b8"});
  expect_contains(
      load_error("npy:" + write("h.npy", npy<std::uint8_t>("|u1", "9223372036854775807, 9, 9", {1}))),
      {"select fewer"});
  expect_contains(load_error("npy:" + write("n.npy", npy<std::uint8_t>("|u1", "1, -9, 9", {1}))), {"header"});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_contains(load_error("npy:" + write("nan.npy", npy<float>("<f4", "1, 1, 2", {1, nan}))),
                  {"image 0", "finite"});
  for (const auto& labels :
       {npy<std::int64_t>("<i8", "3,", {1, 2, 3}), npy<std::int64_t>("<i8", "2,", {1, -2}),
        npy<float>("<f4", "2,", {1, 2}), npy<std::int64_t>("<i8", "2,", {1})}) {
    expect_contains(load_error("npy:" + x + "," + write("y.npy", labels)), {"y.npy"});
  }
  std::string text(good.begin(), good.end());
  text.replace(text.find("False"), 5, "True ");
  expect_contains(load_error("npy:" + write("t.npy", Bytes(text.begin(), text.end()))), {"Fortran"});
}

TEST_F(DatasetTest, UnknownSourcesListTheKnownOnes) {
  for (const char* argument : {"", "cifar10", "cifar10:", "imagenet:/data", ":x"}) {
    expect_contains(load_error(argument),
                    {"cifar10:FILE", "cifar100:FILE", "mnist:DIR", "images:DIR", "npy:X.npy"});
  }
  expect_contains(load_error("cifar10:/no/such.bin"), {"/no/such.bin"});
  expect_contains(load_error("cifar10:" + folder_.string()), {folder_.string()});
}

TEST_F(DatasetTest, NormalisationIsAppliedPerChannel) {
  const Dataset data = load_dataset("cifar10:" + write("a.bin", cifar(2, 1)));
  const Tensor t = data.input(1, Normalization::parse("scale=51 mean=0,1,2 std=1,2,4"));
  EXPECT_EQ(t.shape, (Shape{3, 32, 32}));
  EXPECT_FLOAT_EQ(t.data[0], 1.0F / 51);
  EXPECT_FLOAT_EQ(t.data[1024 + 50], (51.0F / 51 - 1) / 2);
  EXPECT_FLOAT_EQ(t.data[2048 + 101], (102.0F / 51 - 2) / 4);
  EXPECT_EQ(data.inputs(1, 2, {}), data.input(1, {}).data);
  expect_contains(error_of([&] { data.input(0, Normalization::parse("mean=1,2")); }), {"3 channels"});
}

TEST_F(DatasetTest, RealFilesHaveTheirKnownSizesAndClassCounts) {
  const auto cifar_file = data_folder() / "cifar10/test_batch_reordered.bin.xz";
  AP_SKIP_WITHOUT(cifar_file);
  AP_SKIP_WITHOUT(data_folder() / "mnist/t10k-images-idx3-ubyte.gz");
  const Dataset head = load_dataset("cifar10:" + cifar_file.string(), {0, 100});
  // The first labels of the original test batch: cat, ship, ship, airplane, frog, frog.
  EXPECT_EQ(std::vector<int>(head.labels.begin(), head.labels.begin() + 6),
            (std::vector<int>{3, 8, 8, 0, 6, 6}));
  const Dataset mnist = load_dataset("mnist:" + (data_folder() / "mnist").string());
  EXPECT_EQ(mnist.size(), 10'000U);
  EXPECT_EQ(mnist.shape, (Shape{1, 28, 28}));
  EXPECT_EQ(std::vector<int>(mnist.labels.begin(), mnist.labels.begin() + 5),
            (std::vector<int>{7, 2, 1, 0, 4}));
}

}  // namespace
}  // namespace ap::nn
