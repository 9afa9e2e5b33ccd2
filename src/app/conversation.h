// One session: its connection, the thread that talks to it, and how long it has kept the server waiting for
// nothing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/clients.h"
#include "net/websocket/websocket.h"

namespace ap::app {

class Conversation {
 public:
  Conversation(std::uint64_t number, std::unique_ptr<net::ServedChannel> channel, Client client);

  net::ServedChannel& channel() { return *channel_; }
  const net::ServedChannel& channel() const { return *channel_; }
  const Client& client() const { return client_; }
  /// What the log calls this session.
  const std::string& title() const { return title_; }

  /// Runs `talk` on a thread of its own, then leaves the connection. @throws std::system_error if there is no
  /// thread.
  void start(std::function<void(Conversation&)> talk);
  /// The channel of a conversation that has not started.
  std::unique_ptr<net::ServedChannel> give_back() { return std::move(channel_); }
  /// Whether the thread is through.
  bool ended() const { return ended_; }
  void join() { thread_.join(); }

  /// Something that a session is for was done (protocol::ServerOptions::on_progress).
  void note_progress();
  /// Something was done that it is not for: its bytes are no excuse.
  void note_probe();
  /// How long the server has waited for the client since the last progress, less the time that the bytes
  /// which came or went meanwhile may take on a slow line; 0 if that is more.
  std::chrono::milliseconds idle() const;
  bool has_progressed() const;
  std::chrono::steady_clock::time_point since() const { return since_; }

  /// Whether its client only prepares for later, and so makes way for others.
  bool is_ahead() const { return ahead_; }
  /// Another client needs the place of such a session: it is sent away before it prepares the next inference.
  void want_place() { place_wanted_ = true; }
  bool place_is_wanted() const { return place_wanted_; }

  /// Begins to end the session for a reason that the client and the log are told, once.
  void send_away(const std::string& reason);
  /// Why the client was sent away; empty if it was not.
  std::string sent_away_because() const;
  bool is_leaving() const { return leaving_; }

 private:
  std::unique_ptr<net::ServedChannel> channel_;
  const Client client_;
  const std::string title_;
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  const bool ahead_;
  std::atomic<bool> ended_{false}, leaving_{false}, place_wanted_{false};
  mutable std::mutex mutex_;
  net::ServedChannel::Progress mark_;
  bool progressed_ = false;
  std::string reason_;
  std::thread thread_;
};

}  // namespace ap::app
