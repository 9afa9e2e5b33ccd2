#include "net/websocket/reception.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "net/websocket/client_address.h"
#include "net/websocket/contained.h"
#include "net/websocket/websocket_channel.h"

namespace ap::net {
namespace {

using boost::system::error_code;
using Clock = std::chrono::steady_clock;

// A client that has been here for less is most likely in the middle of its handshakes.
constexpr std::chrono::milliseconds kBrief{300};

}  // namespace

/// One client. Its stage is one of: handshake (connection is null), first message due, leaving.
struct Reception::Guest : std::enable_shared_from_this<Reception::Guest> {
  Guest(const boost::asio::any_io_executor& executor) : deadline(executor) {}

  std::string peer, address;
  const Clock::time_point since = Clock::now();
  std::shared_ptr<ServerHandshake> handshake;
  std::shared_ptr<Connection> connection;
  std::any admitted_as;
  std::string target;
  boost::asio::steady_timer deadline;
  bool is_leaving = false;

  void cut() const {
    if (connection) {
      connection->cut();
    } else if (handshake) {
      handshake->cut();
    }
  }
  int stage() const {
    return connection ? static_cast<int>(ServerHandshake::Stage::upgrade) + 1
                      : static_cast<int>(handshake->stage());
  }
  void failed(const std::exception&) { cut(); }
};

Reception::Reception(std::weak_ptr<IoThreads> io, std::shared_ptr<TlsContext> tls, ListenerOptions options)
    : io_(std::move(io)), tls_(std::move(tls)), options_(std::move(options)) {}

/// Under the mutex. Those who leave; then whoever has been here the longest, if that is not brief; then, in a
/// storm that brings more than the pool holds within so short a time, who has come least far. Of one address,
/// or of all.
std::shared_ptr<Reception::Guest> Reception::who_must_go(const std::string* address) const {
  const Clock::time_point now = Clock::now();
  const auto rank = [&](const std::shared_ptr<Guest>& guest) {
    const bool brief = now - guest->since < kBrief;
    return std::tuple(!guest->is_leaving, brief, brief ? guest->stage() : 0);
  };
  std::shared_ptr<Guest> found;
  for (const auto& guest : guests_) {
    if (address != nullptr && guest->address != *address) continue;
    if (!found || rank(guest) < rank(found)) found = guest;
  }
  return found;
}

/// Makes room and takes the guest in.
void Reception::add(const std::shared_ptr<Guest>& guest) {
  std::vector<std::shared_ptr<Guest>> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto same = [&](const auto& other) { return other->address == guest->address; };
    const auto expel = [&](const std::shared_ptr<Guest>& out) {
      if (!out) return;
      guests_.remove(out);
      std::erase(ready_, out);
      gone.push_back(out);
    };
    if (static_cast<std::size_t>(std::ranges::count_if(guests_, same)) >= options_.max_pending_per_address) {
      expel(who_must_go(&guest->address));
    }
    if (guests_.size() >= options_.max_pending) expel(who_must_go(nullptr));
    if (closed_ && !guest->is_leaving) {
      gone.push_back(guest);
    } else {
      guests_.push_back(guest);
    }
  }
  for (const auto& out : gone) {
    out->cut();
    if (options_.on_lost && out != guest && !out->is_leaving) {
      options_.on_lost(out->address, out->peer + " was cut off for newer ones before it had greeted");
    }
  }
}

/// Whether it was still here.
bool Reception::remove(const std::shared_ptr<Guest>& guest) {
  const std::lock_guard lock(mutex_);
  std::erase(ready_, guest);
  const bool was_here = guests_.remove(guest) > 0;
  changed_.notify_all();
  return was_here;
}

void Reception::lose(const std::shared_ptr<Guest>& guest, const std::string& sentence) {
  guest->cut();
  if (remove(guest) && options_.on_lost && !guest->is_leaving && !sentence.empty())
    options_.on_lost(guest->address, sentence);
}

void Reception::enter(boost::asio::ip::tcp::socket socket) noexcept {
  try {
    error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) return;  // gone already
    const auto guest = std::make_shared<Guest>(socket.get_executor());
    guest->peer = "the client at " + endpoint_text(endpoint);
    guest->address = address_unit(endpoint.address());
    guest->handshake =
        std::make_shared<ServerHandshake>(std::move(socket), tls_, options_.admit, options_.pages,
                                          guest->peer, options_.limits, options_.first_message_bytes);
    add(guest);
    guest->deadline.expires_after(options_.limits.handshake);
    guest->deadline.async_wait(contained(guest, [self = shared_from_this(), guest](error_code cancelled) {
      if (cancelled) return;
      self->lose(guest,
                 fmt::format("{} did not complete the TLS and WebSocket handshakes {}within {} s",
                             guest->peer, self->options_.first_message_bytes > 0 ? "and its greeting " : "",
                             std::chrono::duration<double>(self->options_.limits.handshake).count()));
    }));
    guest->handshake->start(
        [self = shared_from_this(), weak = std::weak_ptr(guest)](ServerHandshake::Result result) {
          if (const auto here = weak.lock()) self->admit(here, std::move(result));
        });
  } catch (const std::exception&) {
    // Memory ran out: this client is dropped, the server goes on.
  }
}

/// The handshakes are over. On the guest's strand.
void Reception::admit(const std::shared_ptr<Guest>& guest, ServerHandshake::Result result) {
  if (!result.connection) {
    guest->deadline.cancel();
    return lose(guest, result.failure);
  }
  const std::shared_ptr<Connection>& connection = result.connection;
  {
    const std::lock_guard lock(mutex_);
    // Who was expelled a moment ago is not touched any more.
    if (std::ranges::find(guests_, guest) == guests_.end()) return connection->cut();
    guest->connection = connection;
    guest->admitted_as = std::move(result.admitted_as);
    guest->target = std::move(result.target);
  }
  if (options_.first_message_bytes == 0) {
    connection->start();
    return heard(guest);
  }
  connection->start([self = shared_from_this(), weak = std::weak_ptr(guest)] {
    if (const auto here = weak.lock()) self->heard(here);
  });
}

/// The first message has come, or the connection has ended. On the guest's strand.
void Reception::heard(const std::shared_ptr<Guest>& guest) {
  guest->deadline.cancel();
  if (options_.first_message_bytes > 0 && !guest->connection->has_frame()) {
    return lose(guest, guest->connection->end().what + " before it had greeted");
  }
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(guests_, guest) == guests_.end()) return;
  ready_.push_back(guest);
  changed_.notify_all();
}

void Reception::leaving(std::shared_ptr<Connection> connection, const std::string& address) {
  const auto guest = std::make_shared<Guest>(connection->executor());
  guest->address = address;
  guest->connection = connection;
  guest->is_leaving = true;
  add(guest);
  connection->on_end([self = shared_from_this(), weak = std::weak_ptr(guest)] {
    if (const auto here = weak.lock()) self->remove(here);
  });
}

std::unique_ptr<ServedChannel> Reception::next(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, bounded_wait(wait), [&] { return closed_ || !ready_.empty(); });
  if (closed_ || ready_.empty()) return nullptr;
  const std::shared_ptr<Guest> guest = ready_.front();
  ready_.pop_front();
  guests_.remove(guest);
  lock.unlock();
  return std::make_unique<WebSocketChannel>(io_.lock(), guest->connection, shared_from_this(), guest->address,
                                            std::move(guest->admitted_as), std::move(guest->target));
}

void Reception::close() {
  Guests gone;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ready_.clear();
    for (auto at = guests_.begin(); at != guests_.end();) {
      const auto here = at++;
      if (!(*here)->is_leaving) gone.splice(gone.end(), guests_, here);
    }
    changed_.notify_all();
  }
  for (const auto& guest : gone) guest->cut();
}

void Reception::see_off(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [&] { return guests_.empty(); });
  for (const auto& guest : guests_) guest->cut();
}

std::size_t Reception::size() const {
  const std::lock_guard lock(mutex_);
  return guests_.size();
}

}  // namespace ap::net
