// Runs the two sides of a protocol in two threads over an in-process channel that hashes what each side
// sends.
#pragma once

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "crypto/blake2b.h"
#include "net/channel/channel.h"
#include "random/prng.h"
#include "random/session_key.h"

namespace ap::mpc {

/// A seed that stands for a test case, so that a transcript can be frozen.
inline Seed test_seed(std::uint8_t number) {
  Seed seed{};
  seed[0] = number;
  return seed;
}

/// A session key for transcripts that are frozen.
inline SessionKey test_session() { return SessionKey(test_seed(200)); }

class RecordingChannel : public net::Channel {
 public:
  explicit RecordingChannel(std::unique_ptr<net::Channel> inner) : inner_(std::move(inner)) {}
  void send(net::MessageType type, ByteView payload) override {
    sent_.add({reinterpret_cast<const std::uint8_t*>(&type), sizeof type});
    sent_.add(payload);
    payload_bytes_[type] += payload.size();
    inner_->send(type, payload);
  }
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    return inner_->receive(type, min_bytes, max_bytes);
  }
  void set_deadline(std::chrono::milliseconds wait) override { inner_->set_deadline(wait); }
  void close() override { inner_->close(); }
  net::Traffic traffic() const override { return inner_->traffic(); }

  /// BLAKE2b-128, in hexadecimal, of the types and payloads sent so far.
  std::string sent_hash() const {
    crypto::Blake2b copy = sent_;
    std::array<std::uint8_t, kHashBytes> digest;
    copy.finish(digest);
    std::string text;
    for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
    return text;
  }
  /// Payload bytes sent with this type.
  std::uint64_t sent_bytes(net::MessageType type) const { return payload_bytes_[type]; }

 private:
  static constexpr std::size_t kHashBytes = 16;
  std::unique_ptr<net::Channel> inner_;
  crypto::Blake2b sent_{kHashBytes};
  std::array<std::uint64_t, 65536> payload_bytes_{};
};

struct ChannelPair {
  ChannelPair() {
    auto [left, right] = net::make_local_channels();
    client = std::make_unique<RecordingChannel>(std::move(left));
    server = std::make_unique<RecordingChannel>(std::move(right));
    client->set_deadline(std::chrono::seconds(60));
    server->set_deadline(std::chrono::seconds(60));
  }
  std::unique_ptr<RecordingChannel> client;
  std::unique_ptr<RecordingChannel> server;
};

/// Runs both sides to their end; a side that throws closes its channel. Rethrows the client's error, then the
/// server's.
template <typename Client, typename Server>
void run_two(ChannelPair& channels, const Client& client, const Server& server) {
  std::exception_ptr client_error;
  std::exception_ptr server_error;
  std::thread other([&] {
    try {
      server();
    } catch (...) {
      server_error = std::current_exception();
      channels.server->close();
    }
  });
  try {
    client();
  } catch (...) {
    client_error = std::current_exception();
    channels.client->close();
  }
  other.join();
  if (client_error) std::rethrow_exception(client_error);
  if (server_error) std::rethrow_exception(server_error);
}

}  // namespace ap::mpc
