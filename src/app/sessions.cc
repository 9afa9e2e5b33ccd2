#include "app/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;

// When all places are taken, a session that has been idle for so long gives its own to another client: one that has
// never prepared anything, and one that has.
constexpr std::chrono::milliseconds kNewPatience{2'000}, kPatience{30'000};
// A session that waits for its client for so long is not at work. With the second that a goodbye takes, a server ends
// within two, whoever is silent.
constexpr std::chrono::milliseconds kQuiet{500};
// How much the last session counts among those before it.
constexpr double kNewest = 0.2;

double seconds_since(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

}  // namespace

void Sessions::limit(std::size_t sessions, std::uint64_t memory) {
  most_ = std::max<std::size_t>(1, sessions);
  memory_ = memory;
}

bool Sessions::make_place(std::uint64_t bytes) {
  std::size_t count = 0;
  std::uint64_t taken = 0;
  std::vector<std::pair<std::chrono::milliseconds, Session*>> idle;  // beyond their patience
  for (Session& session : sessions_) {
    Conversation& here = session.conversation;
    if (here.is_leaving() || here.ended()) continue;
    ++count;
    taken += session.network->session_bytes();
    const auto beyond = here.idle() - (here.has_progressed() ? kPatience : kNewPatience);
    if (beyond >= std::chrono::milliseconds(0)) idle.emplace_back(beyond, &session);
  }
  std::ranges::sort(idle, std::greater());
  const auto fits = [&] {
    return count == 0 || (count < most_ && (memory_ == 0 || taken + bytes <= memory_));
  };
  std::size_t leaving = 0;
  for (; !fits() && leaving < idle.size(); ++leaving) {
    --count;
    taken -= idle[leaving].second->network->session_bytes();
  }
  if (!fits()) {
    for (Session& session : sessions_) {
      if (session.conversation.is_ahead()) session.conversation.want_place();
    }
    return false;
  }
  for (std::size_t i = 0; i < leaving; ++i)
    idle[i].second->conversation.send_away("idle, and its place is needed; connect again");
  return true;
}

Session* Sessions::start(std::shared_ptr<ServedNetwork> network, std::unique_ptr<net::ServedChannel>& channel,
                         const Client& client, const std::function<void(Session&)>& talk) {
  Session& session = sessions_.emplace_back(next_number_++, std::move(network), std::move(channel), client);
  try {
    ++session.network->sessions;
    session.conversation.start([&session, talk](Conversation&) { talk(session); });
    return &session;
  } catch (const std::system_error&) {
    --session.network->sessions;
    channel = session.conversation.give_back();
    sessions_.pop_back();
    return nullptr;
  }
}

void Sessions::forget(std::list<Session>::iterator at) {
  at->conversation.join();
  --at->network->sessions;
  if (at->conversation.has_progressed()) {
    const double seconds = seconds_since(at->conversation.since());
    typical_seconds_ =
        typical_seconds_ == 0 ? seconds : typical_seconds_ + kNewest * (seconds - typical_seconds_);
  }
  sessions_.erase(at);
}

void Sessions::look_after(std::chrono::milliseconds idle, std::chrono::milliseconds lifetime) {
  const Clock::time_point now = Clock::now();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const auto here = at++;
    Conversation& session = here->conversation;
    if (session.ended()) {
      forget(here);
      continue;
    }
    if (session.idle() > idle) {
      session.send_away(fmt::format("it prepared and classified nothing for {} s",
                                    std::chrono::duration<double>(idle).count()));
    }
    if (now - session.since() > lifetime) session.send_away("its session has lasted too long; connect again");
  }
}

void Sessions::send_idle_away(const std::string& reason) {
  for (Session& session : sessions_) {
    if (session.conversation.idle() > kQuiet) session.conversation.send_away(reason);
  }
}

void Sessions::end_all(const std::string& reason) {
  for (Session& session : sessions_) session.conversation.send_away(reason);
  while (!sessions_.empty()) forget(sessions_.begin());
}

}  // namespace ap::app
