// Folders of pictures, and arrays of every type and order of dimensions.
#include <fstream>

#include "base/files.h"
#include "nn/data/dataset.h"
#include "nn/data/labels.h"
#include "tests/base/temporary_directory.h"
#include "tests/nn/data/picture_files.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

class FolderTest : public ::testing::Test {
 protected:
  /// A grey PNG of 2 x 3 pixels of one value.
  void put(const std::string& name, int value) {
    const std::filesystem::path path = directory_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    write_file(path, png_file(3, PNG_COLOR_TYPE_GRAY, 8,
                              std::vector<Bytes>(2, Bytes(3, static_cast<std::uint8_t>(value)))));
  }
  void put_text(const std::string& name) {
    const std::filesystem::path path = directory_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    write_file(path, Bytes{'x'});
  }
  Dataset load(Range range = {}, std::optional<Shape> shape = {}, const LoadOptions& options = {}) {
    return load_dataset("images:" + directory_.path().string(), range, shape, options);
  }
  static std::string text(const std::vector<std::string>& notes) {
    std::string all;
    for (const std::string& note : notes) all += note + "\n";
    return all;
  }
  TemporaryDirectory directory_;
};

TEST_F(FolderTest, PngAndJpegTogetherInTheOrderOfTheirNames) {
  put("b.png", 20);
  put("d with spaces, \xc3\xbc.PNG", 40);
  for (const auto& [name, value] : {std::pair("a.jpg", 10), std::pair("c.JPEG", 30)})
    write_file(directory_.path() / name, jpeg_file(2, 3, 1, Bytes(6, static_cast<std::uint8_t>(value))));
  // A name does not make a format.
  write_file(directory_.path() / "e.png", jpeg_file(2, 3, 1, Bytes(6, 50)));
  const Dataset data = load();
  ASSERT_EQ(data.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(data.bytes[6 * i], 10 * (i + 1));
  EXPECT_EQ(data.names[1], "b.png");
  EXPECT_EQ(data.names[2], "c.JPEG");
  ASSERT_EQ(data.notes.size(), 1U);
  expect_contains(data.notes[0], {"3 of 5 pictures are JPEG files"});
  const Dataset one = load_dataset("images:" + (directory_.path() / "b.png").string());
  EXPECT_EQ(one.names, (std::vector<std::string>{"b.png"}));
  EXPECT_EQ(one.bytes, std::vector<std::uint8_t>(6, 20));
}

TEST_F(FolderTest, OtherFilesAreSaidAndHiddenOnesPassedOver) {
  put("a.png", 1);
  for (const char* name : {"._a.png", ".DS_Store", "Thumbs.db", "__MACOSX/._a.png"}) put_text(name);
  EXPECT_TRUE(load().notes.empty());
  for (const char* name : {"notes.txt", "b.bmp", "more/c.webp"}) put_text(name);
  const Dataset data = load();
  EXPECT_EQ(data.size(), 1U);
  expect_contains(text(data.notes), {"3 other entries", "b.bmp", "notes.txt", "more/"});
}

TEST_F(FolderTest, EmptyFoldersSayWhatTheyHold) {
  const auto error = [&] { return error_of([&] { load(); }); };
  expect_contains(error(), {"no PNG or JPEG file"});
  put_text("a.bmp");
  expect_contains(error(), {"no PNG or JPEG file", "a.bmp", "convert"});
  std::filesystem::create_directory(directory_.path() / "cat");
  expect_contains(error(), {"cat", "no PNG or JPEG file", "each folder", "class"});
  put("cat/train/a.png", 1);
  expect_contains(error(), {"cat", "holds no pictures but folders", "train"});
}

TEST_F(FolderTest, ClassFoldersGiveLabelsAndAllClassesFirst) {
  for (const auto& [name, value] :
       {std::pair("dog/1.png", 1), std::pair("dog/2.png", 2), std::pair("cat/x.png", 3),
        std::pair("ant/a.png", 4), std::pair("ant/b.png", 5), std::pair("ant/c.png", 6)}) {
    put(name, value);
  }
  put_text("README");
  put_text("cat/notes.txt");
  const Dataset data = load();
  EXPECT_EQ(data.classes, (std::vector<std::string>{"ant", "cat", "dog"}));
  EXPECT_EQ(data.labels, (std::vector<int>{0, 1, 2, 0, 2, 0}));
  std::vector<int> values;
  for (std::size_t i = 0; i < data.size(); ++i) values.push_back(data.bytes[6 * i]);
  EXPECT_EQ(values, (std::vector<int>{4, 3, 1, 5, 2, 6}));
  EXPECT_EQ(data.names[1], "cat/x.png");
  expect_contains(text(data.notes), {"2 other entries", "README", "cat/notes.txt"});
  EXPECT_EQ(load({1, 3}).labels, (std::vector<int>{1, 2}));
}

TEST_F(FolderTest, PicturesOfAllSizesAreScaledAndCut) {
  put("a.png", 9);
  write_file(directory_.path() / "b.png",
             png_file(5, PNG_COLOR_TYPE_GRAY, 8, std::vector<Bytes>(7, Bytes(5, 77))));
  expect_contains(error_of([&] { load(); }), {"b.png", "7 rows and 5 columns", "a.png", "--resize"});
  LoadOptions options;
  options.framing = Framing::parse("resize=6 crop=5x4");
  const Dataset data = load({}, Shape{3, 5, 4}, options);
  EXPECT_EQ(data.shape, (Shape{3, 5, 4}));
  ASSERT_EQ(data.bytes.size(), 120U);
  EXPECT_EQ(std::vector<std::uint8_t>(data.bytes.begin(), data.bytes.begin() + 60),
            std::vector<std::uint8_t>(60, 9));
  EXPECT_EQ(std::vector<std::uint8_t>(data.bytes.begin() + 60, data.bytes.end()),
            std::vector<std::uint8_t>(60, 77));
}

TEST_F(FolderTest, AlphaAndOrientationAreSaid) {
  write_file(directory_.path() / "a.png", png_file(1, PNG_COLOR_TYPE_GA, 8, {{5, 0}}));
  write_file(directory_.path() / "b.jpg", jpeg_file(1, 1, 1, Bytes{7}, {false, 3, false}));
  expect_contains(text(load().notes), {"alpha channel of 1 of 2", "1 of 2 pictures were turned"});
}

TEST(Labels, MustBeOutputs) {
  EXPECT_NO_THROW(check_labels(std::vector<int>{0, 9}, 10, "y"));
  expect_contains(error_of([] {
                    check_labels(std::vector<int>{0, 99}, 10, "y.npy");
                  }),
                  {"y.npy", "image 1", "label 99", "10 outputs", "0 to 9"});
  expect_contains(error_of([] {
                    check_labels(std::vector<int>{1, 10, 3}, 10, "y.npy");
                  }),
                  {"label 10", "count from 1", "y - 1"});
  EXPECT_NO_THROW(check_labels(std::vector<int>{0, 1}, 1, "y"));
  expect_contains(error_of([] {
                    check_labels(std::vector<int>{0, 2}, 1, "y");
                  }),
                  {"label 2", "1 output", "two classes"});
}

TEST(Labels, FoldersAreLookedUpByName) {
  const auto folders = [] {
    Dataset data;
    data.source = "images:x";
    data.classes = {"cat", "dog"};
    data.labels = {1, 0, 1};
    return data;
  };
  Dataset data = folders();
  const std::vector<std::string> names = {"dog", "ant", "cat"}, strangers = {"a", "b", "c"};
  fit_labels(data, 3, names);
  EXPECT_EQ(data.labels, (std::vector<int>{0, 2, 0}));
  data = folders();
  fit_labels(data, 2, {});
  EXPECT_EQ(data.labels, (std::vector<int>{1, 0, 1}));
  data = folders();
  fit_labels(data, 3, strangers);
  EXPECT_FALSE(data.has_labels());
  expect_contains(data.notes.at(0), {"2 folders", "3 outputs", "not taken for labels"});
  data = folders();
  const std::vector<std::string> some = {"dog", "ant"};
  expect_contains(error_of([&] { fit_labels(data, 2, some); }), {"cat", "dog, ant"});
}

TEST(Labels, KnownDataSetsOfOtherNetworksGiveNone) {
  Dataset data;
  data.source = "cifar10:x";
  data.labels = {3, 9};
  fit_labels(data, 1, {});
  EXPECT_FALSE(data.has_labels());
  expect_contains(data.notes.at(0), {"labels up to 9", "1 output"});
}

}  // namespace
}  // namespace ap::nn
