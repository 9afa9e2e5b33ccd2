// The queue of clients that have greeted while all places were taken. Each holds its connection and next to nothing else,
// and is told its place and about how long it will take (docs/wire-format.md, "Waiting"). For the thread that admits clients.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "app/clients.h"
#include "app/served_network.h"
#include "net/websocket/websocket.h"

namespace ap::app {

class WaitingRoom {
 public:
  struct Guest {
    std::unique_ptr<net::ServedChannel> channel;
    std::shared_ptr<ServedNetwork> network;
    Client client;

    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point told{};
    std::size_t told_place = 0;
  };

  /// `places`: guests at a time; 0: none is let in. `longest`: that one may wait.
  WaitingRoom(std::size_t places, std::chrono::milliseconds longest);

  /// Fewer places, or more, from now on.
  void limit(std::size_t places) { places_ = places; }

  /// Whether this client may come in: there is room, and whoever it is, by its name or else its address, has not filled
  /// three quarters of it.
  bool has_room(const net::ServedChannel& channel, const Client& client) const;
  void add(Guest guest);
  bool empty() const { return guests_.empty(); }
  std::size_t size() const { return guests_.size(); }
  const Guest& front() const { return guests_.front(); }
  Guest take_front();

  /// Whose turn it is, given how long sessions last (0: not known) and how many run at a time; rounded, so that it tells
  /// little of other clients. For the guest at `place` >= 1.
  static std::chrono::seconds estimate(std::size_t place, double session_seconds, std::size_t sessions);

  /// Tells everybody whose place has changed, and everybody now and then; that also finds those that are gone. `lost` gets
  /// a guest that is gone or has waited for too long, and why, and sends it away; it must not throw.
  void tell(double session_seconds, std::size_t sessions,
            const std::function<void(Guest&, const std::string& why, bool gone)>& lost);
  /// Empties the room.
  void clear(const std::function<void(Guest&)>& left);

 private:
  static const std::string& owner(const net::ServedChannel& channel, const Client& client);

  std::size_t places_;
  const std::chrono::milliseconds longest_;
  std::deque<Guest> guests_;
};

}  // namespace ap::app
