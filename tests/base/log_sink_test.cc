#include "base/log_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>

namespace ap {
namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends), 0); }
  ~Pipe() {
    close_reader();
    ::close(ends[1]);
  }
  void close_reader() {
    if (ends[0] >= 0) ::close(ends[0]);
    ends[0] = -1;
  }
  std::string read_all() {
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::string all;
    char buffer[65536];
    for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<size_t>(got));
    return all;
  }
  int ends[2];
};

spdlog::logger logger_of(const std::shared_ptr<LogSink>& sink) {
  spdlog::logger logger("test", sink);
  logger.set_pattern("%v");
  return logger;
}

TEST(LogSink, LinesComeOutInOrder) {
  Pipe pipe;
  {
    const auto sink = std::make_shared<LogSink>(pipe.ends[1]);
    spdlog::logger logger = logger_of(sink);
    for (int i = 0; i < 100; ++i) logger.info("line {}", i);
  }
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += fmt::format("line {}\n", i);
  EXPECT_EQ(pipe.read_all(), expected);
}

/// The sum of all numbers of dropped lines that a log reports.
std::uint64_t reported_in(const std::string& log) {
  const std::string before = "autoprivacy: ", after = " lines of the log were dropped here";
  std::uint64_t sum = 0;
  for (std::size_t at = 0; (at = log.find(after, at)) != std::string::npos; ++at) {
    sum += std::stoull(log.substr(log.rfind(before, at) + before.size()));
  }
  return sum;
}

TEST(LogSink, AReaderThatDoesNotReadStopsNobodyAndDropsAreCounted) {
  Pipe pipe;
  const auto sink = std::make_shared<LogSink>(pipe.ends[1]);
  spdlog::logger logger = logger_of(sink);
  constexpr std::uint64_t kLines = 50'000;
  for (std::uint64_t i = 0; i < kLines; ++i) logger.info("a line of fifty bytes, whose number is {:>12}.", i);
  const std::uint64_t dropped = sink->dropped();
  EXPECT_GT(dropped, kLines / 2);
  EXPECT_GE(kLines - dropped, LogSink::kMaxLines);
  // Somebody reads again: what follows is preceded by the number of those that are missing.
  std::string out;
  for (int i = 0; i < 5000 && (reported_in(out) == 0 || reported_in(out) != sink->dropped()); ++i) {
    out += pipe.read_all();
    logger.info("again");
    ::usleep(1000);
  }
  EXPECT_GE(sink->dropped(), dropped);
  EXPECT_EQ(reported_in(out), sink->dropped());
}

TEST(LogSink, ItsEndDoesNotWaitForAReader) {
  Pipe pipe;
  auto sink = std::make_shared<LogSink>(pipe.ends[1]);
  {
    spdlog::logger logger = logger_of(sink);
    for (int i = 0; i < 10'000; ++i) logger.info("{:>100}", i);
  }
  const auto start = std::chrono::steady_clock::now();
  sink.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(LogSink, AReaderThatIsGoneIsHarmless) {
  Pipe pipe;
  pipe.close_reader();
  ::signal(SIGPIPE, SIG_IGN);
  const auto sink = std::make_shared<LogSink>(pipe.ends[1]);
  spdlog::logger logger = logger_of(sink);
  for (int i = 0; i < 1000; ++i) logger.info("{}", i);
}

TEST(LogSink, LongLinesAreCut) {
  Pipe pipe;
  {
    const auto sink = std::make_shared<LogSink>(pipe.ends[1]);
    logger_of(sink).info("{}", std::string(100'000, 'x'));
  }
  const std::string out = pipe.read_all();
  EXPECT_EQ(out.size(), LogSink::kMaxLineBytes);
  EXPECT_TRUE(out.ends_with("x\n"));
}

}  // namespace
}  // namespace ap
