// A server on a free port and a thread of its own, for tests over real sockets.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "app/client.h"
#include "app/server.h"
#include "net/websocket/websocket.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/messages.h"
#include "tests/app/small_network.h"

namespace ap::app {

class RunningServer {
 public:
  explicit RunningServer(const package::Package& package, ServerConfig config = {})
      : server_(package, std::move(config)), thread_([this] { server_.run(); }) {}
  explicit RunningServer(const std::vector<std::filesystem::path>& sources, ServerConfig config = {})
      : server_(sources, std::move(config)), thread_([this] { server_.run(); }) {}
  ~RunningServer() {
    server_.stop();
    thread_.join();
  }
  Server* operator->() { return &server_; }

  std::unique_ptr<net::Channel> connect() { return connect_at(""); }
  /// As a client that would wait for a place.
  std::unique_ptr<net::Channel> connect_to_wait() { return connect_at("/" + std::string(protocol::kWaits)); }

  /// Another client gets a right answer.
  void expect_serving(const package::Package& client, const package::Package& server) {
    const std::vector<Image> images = small_inputs(server, 1);
    const auto channel = connect();
    const RunResult result = run_images(client, *channel, images);
    EXPECT_EQ(compare_with_clear(server.network, images, result.logits).same_class, 1u);
  }

  /// All sessions end within a few seconds.
  void expect_no_sessions() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (server_.sessions() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(server_.sessions(), 0u);
  }

 private:
  std::unique_ptr<net::Channel> connect_at(const std::string& path) {
    return net::connect("wss://" + server_.address() + path,
                        net::TlsTrust::pinned_certificate(server_.fingerprint()));
  }

  Server server_;
  std::thread thread_;
};

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace ap::app
