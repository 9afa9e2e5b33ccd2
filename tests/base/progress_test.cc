#include "base/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>

namespace ap {
namespace {

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

/// What `body` writes to standard error when that is `fd`.
void with_standard_error(int fd, const std::function<void()>& body) {
  std::fflush(stderr);
  const int saved = ::dup(STDERR_FILENO);
  ::dup2(fd, STDERR_FILENO);
  body();
  std::fflush(stderr);
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
}

std::string on_terminal(const std::function<void()>& body) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) {
    throw std::runtime_error("no pseudo terminal");
  }
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  if (slave < 0) throw std::runtime_error("no pseudo terminal");
  with_standard_error(slave, body);
  std::string text = read_all(master);
  ::close(slave);
  ::close(master);
  return text;
}

std::string on_pipe(const std::function<void()>& body) {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK) != 0) throw std::runtime_error("no pipe");
  with_standard_error(ends[1], body);
  ::close(ends[1]);
  std::string text = read_all(ends[0]);
  ::close(ends[0]);
  return text;
}

void work() {
  Progress progress("measuring", 40);
  progress.note("conv1");
  for (int i = 0; i < 40; ++i) progress.advance();
}

TEST(Progress, WritesNothingWhenStandardErrorIsNotATerminal) { EXPECT_EQ(on_pipe(work), ""); }

TEST(Progress, EndsWithAFullBarOnATerminal) {
  const std::string text = on_terminal(work);
  EXPECT_NE(text.find("measuring [############################] 40/40"), std::string::npos) << text;
  EXPECT_NE(text.find("conv1"), std::string::npos) << text;
  EXPECT_EQ(text.find("left"), std::string::npos) << "a finished bar has no time left: " << text;
  ASSERT_FALSE(text.empty());
  EXPECT_EQ(text.back(), '\n');
}

TEST(Progress, CanBeSwitchedOff) {
  EXPECT_EQ(on_terminal([] {
              Progress progress("measuring", 2, false);
              progress.advance(2);
            }),
            "");
}

TEST(Progress, WritesNothingForWorkThatNeverBegan) {
  EXPECT_EQ(on_terminal([] { Progress progress("measuring", 2); }), "");
}

TEST(Progress, MoreUnitsThanAnnouncedAndNoUnitsAreHarmless) {
  EXPECT_NE(on_terminal([] {
              Progress progress("measuring", 2);
              progress.advance(5);
            }).find("5/2"),
            std::string::npos);
  EXPECT_NE(on_terminal([] {
              Progress progress("measuring", 0);
              progress.advance(1);
            }).find("1/0"),
            std::string::npos);
}

}  // namespace
}  // namespace ap
