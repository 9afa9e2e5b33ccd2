// What the parties of a session by homomorphic encryption alone send, byte by byte, for seeds that never change.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "net/channel/recording_channel.h"
#include "protocol/he/client.h"
#include "protocol/he/server.h"
#include "tests/he_only/small_package.h"
#include "tests/transcripts/frozen.h"
#include "tests/transcripts/seeded_random.h"

namespace ap::transcripts {
namespace {

using net::Direction;
using net::RecordingChannel;

constexpr const char* kName = "homomorphic encryption alone";

TEST(Transcript, HomomorphicEncryptionAlone) {
  if (!is_frozen(kName) && std::getenv("AP_FREEZE") == nullptr) GTEST_SKIP() << "nothing is frozen of it yet";
  he_only::testing::Builder builder = he_only::testing::tiny();
  const he_only::testing::SmallPackage made = he_only::testing::small_package(builder);
  const protocol::he::ServerModel model(he_only::parse(made.files.server, "server.apm"));
  const he_only::Package client = he_only::parse(made.files.client, "client.apm");
  const std::uint64_t of_nobody = draws_of_nobody();
  auto [client_end, server_end] = net::make_local_channels();
  RecordingChannel client_side(std::move(client_end), RecordingChannel::Keep::hashes);
  RecordingChannel server_side(std::move(server_end), RecordingChannel::Keep::hashes);
  Randomness client_draws("transcript, client"), server_draws("transcript, server");
  std::thread server([&] {
    const Playing playing(server_draws);
    protocol::he::serve_session(model, server_side);
  });
  {
    const Playing playing(client_draws);
    protocol::he::ClientSession session(client, client_side);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto scores = session.infer(made.images[i]);
      for (std::size_t j = 0; j < scores.size(); ++j)
        EXPECT_NEAR(scores[j], made.scores[i][j], 6 * made.shared.score_error);
    }
    session.finish();
  }
  server.join();
  EXPECT_EQ(draws_of_nobody(), of_nobody);
  const net::Traffic traffic = client_side.traffic();
  expect_frozen(
      "homomorphic encryption alone",
      fmt::format(
          "package {}\nclient: {} messages, {} bytes, {:02x}\nserver: {} messages, {} bytes, {:02x}\n",
          package::to_hex(client.id), traffic.messages_sent, traffic.bytes_sent,
          fmt::join(client_side.hash_of(Direction::sent), ""), traffic.messages_received,
          traffic.bytes_received, fmt::join(client_side.hash_of(Direction::received), "")));
}

}  // namespace
}  // namespace ap::transcripts
