// The client against recorded servers: on every machine it sends, byte by byte, what it sent where the recording was
// made, and has the same results.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/files.h"
#include "tests/portable/play.h"
#include "tests/portable/replay_channel.h"
#if !defined(__EMSCRIPTEN__)
#include "tests/portable/parties.h"
#endif

namespace ap::portable {
namespace {

class Replay : public testing::TestWithParam<const char*> {
 protected:
  const Recording recording_ = parse_recording(read_file(recording_path(GetParam()), 1 << 24), GetParam());
};

TEST_P(Replay, TheClientSendsTheRecordedBytesAndHasTheRecordedResults) {
  const protocol::Stopwatch watch;
  ReplayChannel channel(recording_.calls);
  std::vector<Inference> inferences = recording_.inferences;
  for (Inference& inference : inferences) inference.result.clear();
  play_client(recording_.client_package, channel, inferences);
  EXPECT_TRUE(channel.at_end());
  EXPECT_EQ(inferences, recording_.inferences);
  ASSERT_FALSE(inferences.empty());
  EXPECT_FALSE(inferences.front().result.empty());
  const net::Traffic traffic = channel.traffic();
  RecordProperty("seconds", std::to_string(watch.seconds()));
  std::printf("  %s: %.2f s, %llu bytes sent, %llu received\n", GetParam(), watch.seconds(),
              static_cast<unsigned long long>(traffic.bytes_sent),
              static_cast<unsigned long long>(traffic.bytes_received));
}

// That a difference is seen.
TEST_P(Replay, AServerThatSaysSomethingElseChangesWhatTheClientSends) {
  Recording other = recording_;
  for (Call& call : other.calls) {  // the session key depends on the server's nonce
    if (call.direction == net::Direction::received && call.payload.size() == 32) {
      call.payload[0] ^= 1;
      break;
    }
  }
  std::vector<Inference> inferences = other.inferences;
  ReplayChannel channel(other.calls);
  testing::TestPartResultArray failures;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    EXPECT_THROW(play_client(other.client_package, channel, inferences), Error);
  }
  EXPECT_GT(failures.size(), 0);
}

#if !defined(__EMSCRIPTEN__)
TEST_P(Replay, BothPartiesPlayTheRecordedSession) {
  std::vector<Inference> inferences = recording_.inferences;
  for (Inference& inference : inferences) inference.result.clear();
  const Recording played = play_parties(recording_.server_package, recording_.client_package, inferences);
  EXPECT_EQ(played.inferences, recording_.inferences);
  EXPECT_EQ(played.calls, recording_.calls);
}
#endif

INSTANTIATE_TEST_SUITE_P(Recordings, Replay, testing::ValuesIn(kNames),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace ap::portable
