#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/base/temporary_directory.h"

namespace ap {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kLimit = 1 << 24;

Bytes pattern(std::size_t size, std::uint8_t start) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(start + i * 7);
  return bytes;
}

std::string input_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    return error.what();
  }
  ADD_FAILURE() << "no ap::Error was thrown";
  return {};
}

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator{}));
}

TEST(Files, WhatIsWrittenIsRead) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{3'000'001}}) {
    const Bytes bytes = pattern(size, 3);
    write_file(path, bytes);
    EXPECT_EQ(read_file(path, kLimit), bytes) << size;
    EXPECT_EQ(entries(directory.path()), 1u) << "a temporary file was left behind";
  }
}

TEST(Files, WritingReplacesTheOldContentAsAWhole) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file(path, pattern(10'000, 1));
  write_file(path, pattern(10, 2));
  EXPECT_EQ(read_file(path, kLimit), pattern(10, 2));
}

TEST(Files, AreTheirOwnersUnlessToldOtherwise) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  const mode_t mask = ::umask(022);
  const auto mode = [&] { return fs::status(path).permissions() & fs::perms::mask; };
  write_file(path, pattern(10, 1));
  EXPECT_EQ(mode(), fs::perms(0600));
  EXPECT_FALSE(others_may_read(path));
  write_file(path, pattern(10, 1), Readers::everyone);
  EXPECT_EQ(mode(), fs::perms(0644));
  EXPECT_TRUE(others_may_read(path));
  write_file(path, pattern(10, 2));
  EXPECT_EQ(mode(), fs::perms(0600)) << "the readers of the old file must not stay";
  ::umask(mask);
  EXPECT_FALSE(others_may_read(directory.path() / "nothing"));
}

TEST(Files, AReaderThatHoldsTheOldFileKeepsAllOfIt) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  const Bytes old_bytes = pattern(1000, 1);
  write_file(path, old_bytes);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  write_file(path, pattern(2000, 9));
  Bytes seen(5000);
  const ssize_t count = ::read(fd, seen.data(), seen.size());
  ::close(fd);
  ASSERT_EQ(count, 1000);
  seen.resize(1000);
  EXPECT_EQ(seen, old_bytes);
}

/// Runs `body` in a child process and gives its wait status.
int in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(Files, AFullDiskLeavesTheOldFileAndNoRubbish) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  const Bytes old_bytes = pattern(1000, 1);
  write_file(path, old_bytes);
  const Bytes big = pattern(100'000, 5);
  const int status = in_child([&] {
    // A limit on the size of files makes write() fail half-way, as a full disk does.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{50'000, 50'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_file(path, big);
    } catch (const Error& error) {
      ::_exit(error.code() == ErrorCode::input ? 42 : 43);
    }
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42) << "write_file must fail with Error(input)";
  EXPECT_EQ(read_file(path, kLimit), old_bytes);
  EXPECT_EQ(entries(directory.path()), 1u);
}

TEST(Files, AKilledWriterLeavesTheOldFile) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  const Bytes old_bytes = pattern(1000, 1);
  write_file(path, old_bytes);
  const Bytes big = pattern(100'000, 5);
  const int status = in_child([&] {
    // The default action of SIGXFSZ ends the process inside write(), with half of the new content on disk.
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(SIGXFSZ, SIG_DFL);
    const rlimit limit{50'000, 50'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    write_file(path, big);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGXFSZ);
  EXPECT_EQ(read_file(path, kLimit), old_bytes);
  write_file(path, big);
  EXPECT_EQ(read_file(path, kLimit), big) << "a dead writer must not be in the way of the next";
}

TEST(Files, ATargetThatCannotBeReplacedIsAnErrorWithoutRubbish) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "is-a-directory";
  fs::create_directory(path);
  fs::create_directory(path / "full");
  const std::string message = input_error([&] { write_file(path, pattern(5, 1)); });
  EXPECT_NE(message.find("is-a-directory"), std::string::npos) << message;
  EXPECT_EQ(entries(directory.path()), 1u);
}

TEST(Files, WritingIntoAMissingDirectoryNamesThePath) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "missing" / "file";
  const std::string message = input_error([&] { write_file(path, pattern(5, 1)); });
  EXPECT_NE(message.find(path.string()), std::string::npos) << message;
  EXPECT_NE(message.find("No such file"), std::string::npos) << message;
}

TEST(Files, ReadingAMissingFileNamesItAndTheReason) {
  const TemporaryDirectory directory;
  const std::string message = input_error([&] { read_file(directory.path() / "nothing", kLimit); });
  EXPECT_NE(message.find("nothing"), std::string::npos) << message;
  EXPECT_NE(message.find("No such file"), std::string::npos) << message;
}

TEST(Files, ReadingADirectoryOrAPipeIsRefusedWithoutBlocking) {
  const TemporaryDirectory directory;
  EXPECT_NE(input_error([&] { read_file(directory.path(), kLimit); }).find("not a regular file"),
            std::string::npos);
  const fs::path pipe = directory.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(input_error([&] { read_file(pipe, kLimit); }).find("not a regular file"), std::string::npos);
}

TEST(Files, TheLimitIsExactAndStatedInTheMessage) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file(path, pattern(100, 1));
  EXPECT_EQ(read_file(path, 100).size(), 100u);
  const std::string message = input_error([&] { read_file(path, 99); });
  EXPECT_NE(message.find("100 bytes"), std::string::npos) << message;
  EXPECT_NE(message.find("99"), std::string::npos) << message;
}

TEST(Files, OfManyWritersOfOneFileOneWinsAsAWhole) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  std::vector<std::thread> writers;
  for (std::uint8_t t = 0; t < 4; ++t) {
    writers.emplace_back([&path, t] {
      for (int i = 0; i < 20; ++i) write_file(path, Bytes(20'000 + t, t));
    });
  }
  for (auto& writer : writers) writer.join();
  const Bytes last = read_file(path, kLimit);
  ASSERT_FALSE(last.empty());
  EXPECT_EQ(last, Bytes(20'000u + last[0], last[0]));
  EXPECT_EQ(entries(directory.path()), 1u);
}

TEST(Files, ASymbolicLinkIsFollowedWhenReading) {
  const TemporaryDirectory directory;
  write_file(directory.path() / "file", pattern(7, 1));
  fs::create_symlink("file", directory.path() / "link");
  EXPECT_EQ(read_file(directory.path() / "link", kLimit), pattern(7, 1));
}

}  // namespace
}  // namespace ap
