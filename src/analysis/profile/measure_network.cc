// A TLS WebSocket connection over the loopback interface, both ends in this process.
#include <chrono>
#include <thread>

#include "analysis/profile/measure.h"
#include "base/error.h"
#include "net/websocket/websocket.h"

namespace ap::cost {
namespace {

constexpr net::MessageType kType = 0x0001;
constexpr std::size_t kMessage = std::size_t{1} << 20;
constexpr int kMessages = 12, kRounds = 4;
// Short and many, so that some of them run undisturbed on a busy machine.
constexpr int kEchoes = 25, kEchoRounds = 24;
constexpr std::chrono::seconds kPatience{10};

/// Processor seconds of moving one byte.
double byte_seconds(net::Channel& from, net::Channel& to) {
  Samples samples;
  const Bytes payload(kMessage, 1);
  for (int round = 0; round < kRounds; ++round) {
    const double before = process_seconds();
    std::thread sender([&] {
      for (int i = 0; i < kMessages; ++i) from.send(kType, payload);
    });
    for (int i = 0; i < kMessages; ++i) to.receive_exactly(kType, kMessage);
    sender.join();
    samples.add((process_seconds() - before) / (kMessages * static_cast<double>(kMessage)));
  }
  return samples.figure();
}

}  // namespace

NetworkCosts measure_network() {
  const net::TlsIdentity identity = net::make_self_signed("localhost");
  net::Listener listener("127.0.0.1", 0, identity);
  std::unique_ptr<net::Channel> server;
  std::thread accepting([&] { server = listener.accept(kPatience); });
  std::unique_ptr<net::Channel> client;
  try {
    client = net::connect(listener.url(),
                          net::TlsTrust::pinned_certificate(net::certificate_fingerprint(identity)));
  } catch (...) {
    listener.stop();
    accepting.join();
    throw;
  }
  accepting.join();
  if (!server) fail_peer("no connection over the loopback interface within {} s", kPatience.count());

  NetworkCosts costs;
  costs.byte_up = byte_seconds(*client, *server);
  costs.byte_down = byte_seconds(*server, *client);
  const Bytes word(8, 1);
  Samples cpu, wall;
  std::thread echo([&] {
    for (int i = 0; i < kEchoRounds * kEchoes; ++i)
      server->send(kType, server->receive_exactly(kType, word.size()));
  });
  for (int round = 0; round < kEchoRounds; ++round) {
    const double before = process_seconds();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kEchoes; ++i) {
      client->send(kType, word);
      client->receive_exactly(kType, word.size());
    }
    wall.add(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kEchoes);
    cpu.add((process_seconds() - before) / kEchoes);
  }
  echo.join();
  costs.message = cpu.figure() / 2;
  costs.round_trip = wall.least();
  return costs;
}

}  // namespace ap::cost
