#include "tests/faults/network.h"

#include <array>
#include <deque>

#include "base/error.h"
#include "net/channel/channel_errors.h"

namespace ap::faults {
namespace {

using Kind = LinkFault::Kind;

struct Message {
  std::uint64_t at_ms;
  net::MessageType type;
  Bytes payload;
};

struct Connection {
  World& world;
  LinkFault fault;
  Tap tap;
  std::uint64_t sent = 0;
  bool silent = false;
  std::uint64_t broken_at = World::kNever;  ///< for both, once what was under way has arrived
  struct End {
    const Process* process;
    std::deque<Message> inbox;
    bool closed = false;
    bool cut_off = false;       ///< nothing arrives here any more
    std::uint64_t last_at = 0;  ///< when the last message arrives here
  };
  std::array<End, 2> ends;  ///< client, server
};

class Channel final : public net::Channel {
 public:
  Channel(std::shared_ptr<Connection> connection, std::size_t side)
      : c_(std::move(connection)), side_(side) {}
  ~Channel() override { close(); }

  void send(net::MessageType type, ByteView payload) override {
    if (!c_->world.step(*me().process)) throw Stopped{};
    if (me().closed) fail_peer("{} {}", net::closed_by_us(peer()), net::while_sending(type));
    if (c_->broken_at <= c_->world.now_ms)
      fail_peer("{} broke off the connection {}", peer(), net::while_sending(type));
    if (hung_up(other())) fail_peer("{} {}", net::closed_by_peer(peer()), net::while_sending(type));
    const bool strikes = c_->fault.kind != Kind::none && c_->sent++ == c_->fault.message;
    const Kind kind = strikes ? c_->fault.kind : Kind::none;
    if (kind == Kind::cut_before) {
      c_->broken_at = c_->world.now_ms;
      fail_peer("{} broke off the connection {}", peer(), net::while_sending(type));
    }
    c_->tap(side_ == 0, type, payload);
    traffic_.bytes_sent += net::kHeaderBytes + payload.size();
    ++traffic_.messages_sent;
    if (kind == Kind::silence) c_->silent = true;
    if (c_->silent || other().cut_off) return;
    Random& random = c_->world.random;
    std::uint64_t at = c_->world.now_ms + random.below(random.below(8) == 0 ? 500 : 3);
    if (kind == Kind::late) at += 200'000;
    at = std::max(at, other().last_at);
    if (kind == Kind::cut_inside || kind == Kind::cut_after) {
      c_->broken_at = at;
      other().cut_off = true;
    }
    if (kind == Kind::cut_inside) return;
    other().last_at = at;
    Bytes bytes(payload.begin(), payload.end());
    if (kind == Kind::truncate && !bytes.empty()) bytes.pop_back();
    if (kind == Kind::flip_bit && !bytes.empty()) {
      const std::uint64_t bit = random.below(8 * bytes.size());
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1u << (bit % 8)));
    }
    if (kind == Kind::wrong_type) type = static_cast<net::MessageType>(type ^ 1);
    other().inbox.push_back({at, type, std::move(bytes)});
  }

  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    if (!c_->world.step(*me().process)) throw Stopped{};
    const auto wait = deadline_;
    const auto ready_at = [&] {
      if (me().closed) return std::uint64_t{0};
      if (!me().inbox.empty()) return me().inbox.front().at_ms;
      if (hung_up(other())) return std::uint64_t{0};
      return c_->broken_at;
    };
    const bool in_time =
        c_->world.wait(ready_at, c_->world.now_ms + static_cast<std::uint64_t>(wait.count()));
    if (me().closed) fail_peer("{} {}", net::closed_by_us(peer()), net::while_receiving(type));
    if (!in_time) net::fail_receive_deadline(peer(), type, wait);
    if (me().inbox.empty()) {
      if (c_->broken_at <= c_->world.now_ms || other().process->dead)
        fail_peer("{} broke off the connection {}", peer(), net::while_receiving(type));
      fail_peer("{} {}", net::closed_by_peer(peer()), net::while_receiving(type));
    }
    Message message = std::move(me().inbox.front());
    me().inbox.pop_front();
    try {
      net::check_announced(peer(), type, min_bytes, max_bytes, message.type, message.payload.size());
    } catch (...) {
      c_->broken_at = c_->world.now_ms;
      throw;
    }
    traffic_.bytes_received += net::kHeaderBytes + message.payload.size();
    ++traffic_.messages_received;
    return std::move(message.payload);
  }

  void set_deadline(std::chrono::milliseconds wait) override { deadline_ = net::bounded_wait(wait); }
  void close() override { me().closed = true; }
  net::Traffic traffic() const override { return traffic_; }
  std::string peer() const override { return side_ == 0 ? "the server" : "the client at 192.0.2.1:4000"; }

 private:
  Connection::End& me() { return c_->ends[side_]; }
  Connection::End& other() { return c_->ends[1 - side_]; }
  /// The kernel ends the connections of a program that dies; a machine without power says nothing.
  bool hung_up(const Connection::End& end) const {
    if (c_->silent) return false;
    return end.process->dead ? !end.process->by_power_cut : end.closed;
  }

  std::shared_ptr<Connection> c_;
  const std::size_t side_;
  std::chrono::milliseconds deadline_ = net::kDefaultDeadline;
  net::Traffic traffic_;
};

}  // namespace

std::pair<std::unique_ptr<net::Channel>, std::unique_ptr<net::Channel>> connect(
    World& world, const Process& client, const Process& server, const LinkFault& fault, Tap tap) {
  auto connection =
      std::make_shared<Connection>(Connection{world, fault, std::move(tap), 0, false, World::kNever, {}});
  connection->ends[0].process = &client;
  connection->ends[1].process = &server;
  return {std::make_unique<Channel>(connection, 0), std::make_unique<Channel>(connection, 1)};
}

}  // namespace ap::faults
