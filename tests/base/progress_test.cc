#include "base/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

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

/// A pseudo terminal; some containers have none.
class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return;
    const char* name = ::ptsname(master_);
    if (name) slave_ = ::open(name, O_RDWR | O_NOCTTY);
  }
  ~Terminal() {
    if (slave_ >= 0) ::close(slave_);
    if (master_ >= 0) ::close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  bool exists() const { return slave_ >= 0; }
  void set_columns(unsigned short columns) const {
    const winsize size{24, columns, 0, 0};
    ASSERT_EQ(::ioctl(slave_, TIOCSWINSZ, &size), 0);
  }
  std::string shown(const std::function<void()>& body) {
    with_standard_error(slave_, body);
    return read_all(master_);
  }

 private:
  int master_ = -1;
  int slave_ = -1;
};

class ProgressOnTerminal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!terminal_.exists()) GTEST_SKIP() << "this machine offers no pseudo terminal";
  }
  std::string on_terminal(const std::function<void()>& body) { return terminal_.shown(body); }
  void set_columns(unsigned short columns) { terminal_.set_columns(columns); }

 private:
  Terminal terminal_;
};

std::string on_pipe(const std::function<void()>& body) {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK) != 0) throw std::runtime_error("no pipe");
  with_standard_error(ends[1], body);
  ::close(ends[1]);
  std::string text = read_all(ends[0]);
  ::close(ends[0]);
  return text;
}

/// Longer than between two drawings, so that it is seen.
void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }

void work() {
  Progress progress("measuring", 40);
  progress.note("conv1");
  progress.advance(10);
  pause();
  progress.advance(10);
  progress.advance(20);
}

TEST(Progress, WritesNothingWhenStandardErrorIsNotATerminal) { EXPECT_EQ(on_pipe(work), ""); }

TEST_F(ProgressOnTerminal, DrawsABarAndErasesIt) {
  const std::string text = on_terminal(work);
  EXPECT_NE(text.find("\rmeasuring [##############..............] 20/40 0."), std::string::npos) << text;
  EXPECT_NE(text.find(" s left conv1\x1b[K"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\x1b[K")) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

TEST_F(ProgressOnTerminal, FitsTheTerminal) {
  for (const unsigned short columns : {60, 40, 12}) {
    set_columns(columns);
    const std::string text = on_terminal(work);
    const std::string line = text.substr(1, text.find('\x1b') - 1);
    EXPECT_LT(line.size(), columns) << line;
    EXPECT_EQ(line.rfind("measuring", 0), 0u) << line;
    EXPECT_EQ(line.find('[') != std::string::npos, columns == 60)
        << "a bar only where there is room: " << line;
  }
}

TEST_F(ProgressOnTerminal, CanBeSwitchedOff) {
  EXPECT_EQ(on_terminal([] {
              Progress progress("measuring", 2, false);
              progress.advance(2);
            }),
            "");
}

TEST_F(ProgressOnTerminal, WritesNothingForWorkThatNeverBegan) {
  EXPECT_EQ(on_terminal([] { Progress progress("measuring", 2); }), "");
}

TEST_F(ProgressOnTerminal, MoreUnitsThanAnnouncedAndNoUnitsAreHarmless) {
  for (const auto& [total, units, shown] :
       {std::tuple(2, 5, "[############################] 5/2"), std::tuple(0, 1, "] 1/0")}) {
    const std::string text = on_terminal([&] {
      Progress progress("measuring", static_cast<std::uint64_t>(total));
      pause();
      progress.advance(static_cast<std::uint64_t>(units));
    });
    EXPECT_NE(text.find(shown), std::string::npos) << text;
  }
}

TEST(Progress, TellsWhoeverAsked) {
  std::vector<ProgressReport> reports;
  std::string words;
  const auto sink = [&](const ProgressReport& report) {
    reports.push_back(report);
    words += std::string(report.title) + ":" + std::string(report.note) + ";";
  };
  EXPECT_EQ(on_pipe([&] {
              Progress progress("measuring", 3, sink);
              progress.note("conv1");
              progress.advance(2);
            }),
            "");
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(reports.back().last);
  EXPECT_EQ(reports.back().done, 2u);
  EXPECT_EQ(reports.back().total, 3u);
  EXPECT_TRUE(words.ends_with("measuring:conv1;"));
}

}  // namespace
}  // namespace ap
