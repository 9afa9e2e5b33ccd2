#include "base/directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "tests/base/temporary_directory.h"

namespace ap {
namespace {

using Open = Directory::Open;

class DirectoryTest : public testing::Test {
 protected:
  TemporaryDirectory base_;
  std::filesystem::path path_ = base_.path() / "a" / "b";
  std::unique_ptr<Directory> directory_ = open_directory(path_);
  int error_ = 0;
};

TEST_F(DirectoryTest, FilesAreWrittenReadRenamedAndRemoved) {
  {
    const auto file = directory_->open("one", Open::create, error_);
    ASSERT_TRUE(file);
    std::size_t put = 0;
    EXPECT_EQ(file->write(Bytes{1, 2, 3}, 2, put), 0);
    EXPECT_EQ(put, 3u);
    EXPECT_EQ(file->sync(), 0);
    FileInfo info;
    EXPECT_EQ(file->info(info), 0);
    EXPECT_EQ(info.bytes, 5u);
    EXPECT_TRUE(info.regular && info.ours_alone);
  }
  EXPECT_FALSE(directory_->open("one", Open::create, error_));
  EXPECT_EQ(error_, EEXIST);
  EXPECT_EQ(directory_->rename("one", "two"), 0);
  EXPECT_EQ(directory_->rename("one", "two"), ENOENT);
  EXPECT_EQ(directory_->sync(), 0);
  const auto file = directory_->open("two", Open::read, error_);
  ASSERT_TRUE(file);
  Bytes bytes(10);
  std::size_t got = 0;
  EXPECT_EQ(file->read(bytes, 0, got), 0);
  EXPECT_EQ(got, 5u);
  EXPECT_EQ(bytes[1], 0);
  EXPECT_EQ(bytes[2], 1);
  EXPECT_EQ(file->read(bytes, 5, got), 0);
  EXPECT_EQ(got, 0u);
  std::vector<std::string> names;
  EXPECT_EQ(directory_->list(names), 0);
  EXPECT_EQ(std::ranges::count(names, "two"), 1);
  EXPECT_EQ(directory_->remove("two"), 0);
  EXPECT_FALSE(directory_->open("two", Open::read, error_));
  EXPECT_EQ(error_, ENOENT);
}

TEST_F(DirectoryTest, SaysWhoseItIsAndWhenItChanged) {
  FileInfo before, after;
  ASSERT_EQ(directory_->info("", before), 0);
  EXPECT_TRUE(before.ours_alone && !before.regular);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::ofstream(path_ / "file").put('x');
  ASSERT_EQ(directory_->info("", after), 0);
  EXPECT_GT(after.modified_ns, before.modified_ns);
  ::chmod((path_ / "file").c_str(), 0640);
  ASSERT_EQ(directory_->info("file", after), 0);
  EXPECT_FALSE(after.ours_alone);
  std::filesystem::create_symlink("file", path_ / "link");
  ASSERT_EQ(directory_->info("link", after), 0);
  EXPECT_FALSE(after.regular);
  EXPECT_FALSE(directory_->open("link", Open::read, error_));
  EXPECT_EQ(error_, ELOOP);
}

TEST_F(DirectoryTest, ALockHoldsAmongThreads) {
  std::atomic<int> inside{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        int error = 0;
        const auto lock = directory_->open("lock", Open::lock, error);
        if (!lock || ++inside != 1) ++wrong;
        std::this_thread::yield();
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(DirectoryTest, WhatIsNoDirectoryIsRefused) {
  std::ofstream(base_.path() / "file").put('x');
  EXPECT_THROW(open_directory(base_.path() / "file"), Error);
  EXPECT_THROW(open_directory(base_.path() / "file" / "below"), Error);
}

}  // namespace
}  // namespace ap
