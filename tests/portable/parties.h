// Both parties of a recorded session, in two threads.
#pragma once

#include <gtest/gtest.h>

#include <thread>

#include "protocol/hybrid/server.h"
#include "tests/portable/play.h"

namespace ap::portable {

/// Plays the session of these packages anew.
inline Recording play_parties(const Bytes& server_package, const Bytes& client_package,
                              std::vector<Inference> inferences) {
  auto [client_end, server_end] = net::make_local_channels();
  net::RecordingChannel client_side(std::move(client_end), net::RecordingChannel::Keep::messages);
  std::thread server([&, channel = std::move(server_end)] {
    try {
      transcripts::Randomness randomness(kServerName);
      const transcripts::Playing playing(randomness);
      const protocol::ServerModel model(package::parse(server_package, "server.apm"));
      protocol::serve_session(model, *channel, {});
    } catch (const Error& error) {
      ADD_FAILURE() << "the server: " << error.what();
    }
    channel->close();
  });
  try {
    play_client(client_package, client_side, inferences);
  } catch (const Error& error) {
    ADD_FAILURE() << "the client: " << error.what();
  }
  client_side.close();
  server.join();
  return {server_package, client_package, inferences, calls_of(client_side.messages())};
}

}  // namespace ap::portable
