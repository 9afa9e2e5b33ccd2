#include "app/capacity.h"

#include <algorithm>

#include "base/error.h"

namespace ap::app {
namespace {

// Files that a session opens at a time beside its connection (a stored inference, its directory), with some
// to spare.
constexpr std::size_t kDescriptorsPerSession = 3;
// Listening, the network's own, the ledger and its journal, the file of clients.
constexpr std::size_t kOwnDescriptors = 20;
constexpr std::size_t kMinPending = 8;
constexpr std::size_t kThreadsOfTheServer = 16;
// Of what the machine has left. The rest is for its other programs and for what estimates miss.
constexpr double kShareOfMemory = 0.8;

}  // namespace

std::size_t sessions_within(std::uint64_t ceiling, std::uint64_t model_bytes, std::uint64_t session_bytes,
                            std::size_t wanted) {
  if (wanted == 0) fail_input("a server needs at least one session; give --max-sessions 1 or more");
  if (ceiling == 0) return wanted;
  if (ceiling < model_bytes || ceiling - model_bytes < session_bytes) {
    fail_input(
        "a memory ceiling of {} MB is too low: the model takes {} MB and each session up to {} MB; "
        "raise --max-memory or lower --max-prepared",
        ceiling / 1'000'000, model_bytes / 1'000'000, session_bytes / 1'000'000);
  }
  if (session_bytes == 0) return wanted;
  return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, (ceiling - model_bytes) / session_bytes));
}

Capacity capacity(const CapacityRequest& request, const CapacityLimits& limits) {
  Capacity result;
  result.sessions =
      sessions_within(request.memory_ceiling, request.model_bytes, request.session_bytes, request.sessions);
  if (request.memory_ceiling == 0 && limits.memory && request.session_bytes > 0) {
    const double room = static_cast<double>(*limits.memory) * kShareOfMemory;
    const auto fit = static_cast<std::size_t>(room / static_cast<double>(request.session_bytes));
    if (fit < result.sessions) {
      result.sessions = std::max<std::size_t>(1, fit);
      result.notes.push_back(fmt::format(
          "at most {} sessions at a time instead of {}: each may take {} MB, and {} MB of memory are left; "
          "--max-memory sets another ceiling",
          result.sessions, request.sessions, request.session_bytes / 1'000'000, *limits.memory / 1'000'000));
    }
  }
  if (limits.threads && *limits.threads < result.sessions + kThreadsOfTheServer) {
    const std::uint64_t left =
        *limits.threads > kThreadsOfTheServer ? *limits.threads - kThreadsOfTheServer : 0;
    if (left == 0) fail_input("only {} more threads may be started here; raise the limit", *limits.threads);
    result.sessions = static_cast<std::size_t>(left);
    result.notes.push_back(
        fmt::format("at most {} sessions at a time instead of {}: only {} more threads may be started",
                    result.sessions, request.sessions, *limits.threads));
  }
  result.pending = kMaxPending;
  const Descriptors& d = limits.descriptors;
  const std::size_t taken = d.open + kOwnDescriptors;
  constexpr std::size_t kOneSession = kDescriptorsPerSession + kMinPending;
  if (d.limit < taken + kOneSession) {
    fail_input("at most {} files may be open, and a server needs {}; raise the limit (`ulimit -n`)", d.limit,
               taken + kOneSession);
  }
  std::size_t room = d.limit - taken;
  result.queue = request.queue;
  if (room < request.queue + kMinPending + kDescriptorsPerSession * result.sessions) {
    // Sessions come before those who wait for one.
    result.queue = std::min({request.queue, room / 4, room - kOneSession});
  }
  if (result.queue < request.queue) {
    result.notes.push_back(
        fmt::format("at most {} clients may wait for a session instead of {}: only {} files may be open "
                    "(`ulimit -n`), and each takes one",
                    result.queue, request.queue, d.limit));
  }
  room -= result.queue;
  const std::size_t fit = (room - kMinPending) / kDescriptorsPerSession;
  if (fit < result.sessions) {
    result.notes.push_back(
        fmt::format("at most {} sessions at a time instead of {}: only {} files may be open (`ulimit -n`), "
                    "and a session needs up to {}",
                    fit, result.sessions, d.limit, kDescriptorsPerSession));
    result.sessions = fit;
  }
  result.pending = std::min(kMaxPending, room - kDescriptorsPerSession * result.sessions);
  return result;
}

}  // namespace ap::app
