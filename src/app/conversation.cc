#include "app/conversation.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/hybrid/greeting.h"

namespace ap::app {
namespace {

// A goodbye is said without waiting long for a peer that may not listen.
constexpr std::chrono::milliseconds kGoodbye{1'000};

std::string title(std::uint64_t number, const Client& client) {
  return client.name.empty() ? fmt::format("session {}", number)
                             : fmt::format("session {} of {}", number, client.name);
}

}  // namespace

Conversation::Conversation(std::uint64_t number, std::unique_ptr<net::ServedChannel> channel, Client client)
    : channel_(std::move(channel)),
      client_(std::move(client)),
      title_(app::title(number, client_)),
      ahead_(channel_->target().ends_with(protocol::kAhead)),
      mark_(channel_->progress()) {}

void Conversation::start(std::function<void(Conversation&)> talk) {
  thread_ = std::thread([this, talk = std::move(talk)] {
    talk(*this);
    channel_->leave(kGoodbye);
    ended_ = true;
  });
}

void Conversation::note_progress() {
  const std::lock_guard lock(mutex_);
  mark_ = channel_->progress();
  progressed_ = true;
}

void Conversation::note_probe() {
  const std::lock_guard lock(mutex_);
  mark_.bytes_in = channel_->progress().bytes_in;
  mark_.bytes_out = channel_->traffic().bytes_sent;  // the echo, part of which has yet to leave
}

std::chrono::milliseconds Conversation::idle() const {
  const std::lock_guard lock(mutex_);
  const net::ServedChannel::Progress now = channel_->progress();
  const std::uint64_t out = now.bytes_out > mark_.bytes_out ? now.bytes_out - mark_.bytes_out : 0;
  const std::chrono::milliseconds excused =
      net::time_on_the_slowest_line(now.bytes_in - mark_.bytes_in + out);
  return std::max(std::chrono::milliseconds(0), now.waited - mark_.waited - excused);
}

bool Conversation::has_progressed() const {
  const std::lock_guard lock(mutex_);
  return progressed_;
}

void Conversation::send_away(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (leaving_) return;
    reason_ = reason;
    leaving_ = true;
  }
  channel_->leave(kGoodbye, reason);
}

std::string Conversation::sent_away_because() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

}  // namespace ap::app
