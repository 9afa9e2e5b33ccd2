// A slow network for measurements on one machine: forwards TCP connections and gives each direction a
// bandwidth and a delay, as a wide-area link would. Needs no privileges and no kernel module.
//
//   shaped_link LISTEN_PORT TARGET_PORT MBIT_PER_S ROUND_TRIP_MS      (both ports on 127.0.0.1; stops with
//   SIGINT)
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <boost/asio.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

struct Link {
  double bytes_per_second;
  Clock::duration delay;  ///< one way
};

/// One direction of one connection. Bytes leave the bottleneck one after another at the link's rate and
/// arrive a delay later; reading stops while more than the link can hold is on its way, so the sender feels
/// the rate.
class Direction : public std::enable_shared_from_this<Direction> {
 public:
  Direction(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to, const Link& link)
      : from_(std::move(from)),
        to_(std::move(to)),
        link_(link),
        timer_(from_->get_executor()),
        free_at_(Clock::now()) {}

  void read() {
    const double window =
        link_.bytes_per_second * (std::chrono::duration<double>(2 * link_.delay).count() + 0.02);
    if (reading_ || static_cast<double>(held_) > window + static_cast<double>(buffer_.size())) return;
    reading_ = true;
    from_->async_read_some(
        asio::buffer(buffer_), [self = shared_from_this()](boost::system::error_code error, std::size_t n) {
          self->reading_ = false;
          if (error) return self->finish();
          const auto transmission =
              std::chrono::duration<double>(static_cast<double>(n) / self->link_.bytes_per_second);
          self->free_at_ = std::max(self->free_at_, Clock::now()) +
                           std::chrono::duration_cast<Clock::duration>(transmission);
          self->held_ += n;
          self->queue_.push_back(
              {self->free_at_ + self->link_.delay,
               {self->buffer_.begin(), self->buffer_.begin() + static_cast<std::ptrdiff_t>(n)}});
          self->deliver();
          self->read();
        });
  }

 private:
  struct Chunk {
    Clock::time_point due;
    std::vector<char> bytes;
  };

  void deliver() {
    if (delivering_ || queue_.empty()) return;
    delivering_ = true;
    timer_.expires_at(queue_.front().due);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code) {
      asio::async_write(*self->to_, asio::buffer(self->queue_.front().bytes),
                        [self](boost::system::error_code error, std::size_t n) {
                          self->delivering_ = false;
                          self->held_ -= n;
                          self->queue_.pop_front();
                          if (error) return self->finish();
                          self->deliver();
                          if (self->ended_ && self->queue_.empty()) return self->finish();
                          self->read();
                        });
    });
  }

  void finish() {
    ended_ = true;
    if (!queue_.empty()) return;
    boost::system::error_code ignored;
    to_->shutdown(tcp::socket::shutdown_send, ignored);
  }

  std::shared_ptr<tcp::socket> from_, to_;
  Link link_;
  asio::steady_timer timer_;
  Clock::time_point free_at_;
  std::array<char, 16384> buffer_{};
  std::deque<Chunk> queue_;
  std::size_t held_ = 0;
  bool reading_ = false, delivering_ = false, ended_ = false;
};

class Forwarder {
 public:
  Forwarder(asio::io_context& io, unsigned short listen, unsigned short target, const Link& link)
      : acceptor_(io, {asio::ip::address_v4::loopback(), listen}),
        target_(asio::ip::address_v4::loopback(), target),
        link_(link) {}

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (!error) connect(std::make_shared<tcp::socket>(std::move(socket)));
      accept();
    });
  }

 private:
  void connect(const std::shared_ptr<tcp::socket>& client) {
    auto server = std::make_shared<tcp::socket>(acceptor_.get_executor());
    server->async_connect(target_, [this, client, server](boost::system::error_code error) {
      if (error) return;
      client->set_option(tcp::no_delay(true));
      server->set_option(tcp::no_delay(true));
      std::make_shared<Direction>(client, server, link_)->read();
      std::make_shared<Direction>(server, client, link_)->read();
    });
  }

  tcp::acceptor acceptor_;
  tcp::endpoint target_;
  Link link_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: shaped_link LISTEN_PORT TARGET_PORT MBIT_PER_S ROUND_TRIP_MS\n");
    return 2;
  }
  const Link link{std::atof(argv[3]) * 1e6 / 8,
                  std::chrono::duration_cast<Clock::duration>(
                      std::chrono::duration<double, std::milli>(std::atof(argv[4]) / 2))};
  asio::io_context io;
  Forwarder forwarder(io, static_cast<unsigned short>(std::atoi(argv[1])),
                      static_cast<unsigned short>(std::atoi(argv[2])), link);
  forwarder.accept();
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code, int) { io.stop(); });
  io.run();
}
