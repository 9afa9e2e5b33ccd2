// Where clients wait between their first packet and their first message: a bounded pool of handshakes.
//
// Whoever knocks comes in; if there is no room, the one that has been standing about the longest goes. So
// silent connections, however many, cannot keep a client out that does its handshakes in the usual fraction
// of a second. A client is handed to accept() once its first message has come. Connections that are leaving
// stand in the same pool.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>

#include "net/websocket/connection.h"
#include "net/websocket/io_threads.h"
#include "net/websocket/server_handshake.h"
#include "net/websocket/websocket.h"

namespace ap::net {

class Reception : public std::enable_shared_from_this<Reception> {
 public:
  /// `io` is owned by the listener and the channels only: the last handler may hold the last reference to
  /// this, and must not be the one to end the threads.
  Reception(std::weak_ptr<IoThreads> io, std::shared_ptr<TlsContext> tls, ListenerOptions options);

  /// A client that TCP has just accepted. Does not throw: a client that cannot be taken is dropped.
  void enter(boost::asio::ip::tcp::socket socket) noexcept;
  /// A connection that has begun to end, so that it counts; it may be cut to make room.
  void leaving(std::shared_ptr<Connection> connection, const std::string& address);

  /// As Listener::accept.
  std::unique_ptr<ServedChannel> next(std::chrono::milliseconds wait);
  /// As Listener::stop.
  void close();
  /// Waits until all that leave are gone, at most so long, and cuts off the rest.
  void see_off(std::chrono::milliseconds wait);
  std::size_t size() const;

 private:
  struct Guest;
  using Guests = std::list<std::shared_ptr<Guest>>;

  void admit(const std::shared_ptr<Guest>& guest, ServerHandshake::Result result);
  void heard(const std::shared_ptr<Guest>& guest);
  void lose(const std::shared_ptr<Guest>& guest, const std::string& sentence);
  bool remove(const std::shared_ptr<Guest>& guest);
  void add(const std::shared_ptr<Guest>& guest);
  std::shared_ptr<Guest> who_must_go(const std::string* address) const;

  const std::weak_ptr<IoThreads> io_;
  const std::shared_ptr<TlsContext> tls_;
  const ListenerOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Guests guests_;                             ///< in the order of their coming
  std::deque<std::shared_ptr<Guest>> ready_;  ///< through with everything, not accepted
  bool closed_ = false;
};

}  // namespace ap::net
