// The sessions that run, and whether there is place for one more: by their number, and by the memory that they may take at
// most. For the one thread that looks after them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "app/conversation.h"
#include "app/served_network.h"

namespace ap::app {

struct Session {
  std::shared_ptr<ServedNetwork> network;
  Conversation conversation;

  Session(std::uint64_t number, std::shared_ptr<ServedNetwork> about,
          std::unique_ptr<net::ServedChannel> channel, Client client)
      : network(std::move(about)), conversation(number, std::move(channel), std::move(client)) {}
};

class Sessions {
 public:
  /// `memory`: for all sessions together, in bytes; 0: no limit. A session that is alone may take more.
  void limit(std::size_t sessions, std::uint64_t memory);

  /// Whether there is place for a session of so many bytes. If need be, sessions that have been idle are sent away: 2 s if
  /// they have prepared nothing so far, 30 s otherwise; but only if that makes the place. If it does not, those that only
  /// prepare for later are asked to leave when they are through with what they are preparing.
  bool make_place(std::uint64_t bytes);

  /// Begins one, on a thread of its own. Null if there is no thread; then `channel` is given back.
  Session* start(std::shared_ptr<ServedNetwork> network, std::unique_ptr<net::ServedChannel>& channel,
                 const Client& client, const std::function<void(Session&)>& talk);

  /// Forgets sessions that have ended, and sends away those that have been idle or here for too long.
  void look_after(std::chrono::milliseconds idle, std::chrono::milliseconds lifetime);
  /// Sends away those that keep the server waiting now.
  void send_idle_away(const std::string& reason);
  /// Sends all away, and waits for their ends.
  void end_all(const std::string& reason);

  std::size_t size() const { return sessions_.size(); }
  bool empty() const { return sessions_.empty(); }
  /// How long sessions last, in seconds, of late; 0 before the first has ended.
  double typical_seconds() const { return typical_seconds_; }

 private:
  void forget(std::list<Session>::iterator at);

  std::size_t most_ = 1;
  std::uint64_t memory_ = 0;
  std::uint64_t next_number_ = 1;
  double typical_seconds_ = 0;
  std::list<Session> sessions_;
};

}  // namespace ap::app
