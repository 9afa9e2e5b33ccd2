#include "app/waiting_room.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "protocol/hybrid/greeting.h"

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;

// Between two messages to a guest whose place stays: well below the deadline of a client that waits for the server.
constexpr std::chrono::seconds kTell{2};

}  // namespace

WaitingRoom::WaitingRoom(std::size_t places, std::chrono::milliseconds longest)
    : places_(places), longest_(longest) {}

const std::string& WaitingRoom::owner(const net::ServedChannel& channel, const Client& client) {
  return client.name.empty() ? channel.address() : client.name;
}

bool WaitingRoom::has_room(const net::ServedChannel& channel, const Client& client) const {
  if (guests_.size() >= places_) return false;
  const std::string& who = owner(channel, client);
  const auto same =
      std::ranges::count_if(guests_, [&](const Guest& g) { return owner(*g.channel, g.client) == who; });
  return static_cast<std::size_t>(same) < std::max<std::size_t>(1, places_ * 3 / 4);
}

void WaitingRoom::add(Guest guest) { guests_.push_back(std::move(guest)); }

WaitingRoom::Guest WaitingRoom::take_front() {
  Guest guest = std::move(guests_.front());
  guests_.pop_front();
  return guest;
}

std::chrono::seconds WaitingRoom::estimate(std::size_t place, double session_seconds, std::size_t sessions) {
  constexpr double kUnknown = 5;
  const double each = (session_seconds > 0 ? session_seconds : kUnknown) /
                      static_cast<double>(std::max<std::size_t>(1, sessions));
  const double seconds = each * static_cast<double>(place);
  for (const int step : {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800}) {
    if (seconds <= step) return std::chrono::seconds(step);
  }
  return std::chrono::seconds(3600);
}

void WaitingRoom::tell(double session_seconds, std::size_t sessions,
                       const std::function<void(Guest&, const std::string&, bool)>& lost) {
  const Clock::time_point now = Clock::now();
  std::size_t place = 0;
  for (auto at = guests_.begin(); at != guests_.end();) {
    Guest& guest = *at;
    std::string why;
    bool gone = false;
    if (now - guest.since > longest_) {
      why = fmt::format("it has waited for {} s, and all sessions are taken still",
                        std::chrono::duration<double>(longest_).count());
    } else if (guest.told_place != place + 1 || now - guest.told > kTell) {
      try {
        protocol::answer_waiting(*guest.channel, guest.network->id(), place + 1,
                                 estimate(place + 1, session_seconds, sessions));
        guest.told_place = place + 1;
        guest.told = now;
      } catch (const Error& error) {
        why = error.what();
        gone = true;
      }
    }
    if (why.empty()) {
      ++place;
      ++at;
    } else {
      lost(guest, why, gone);
      at = guests_.erase(at);
    }
  }
}

void WaitingRoom::clear(const std::function<void(Guest&)>& left) {
  for (Guest& guest : guests_) left(guest);
  guests_.clear();
}

}  // namespace ap::app
