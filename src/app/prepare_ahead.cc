#include "app/prepare_ahead.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"

namespace ap::app {

PrepareAhead::PrepareAhead(const package::Package& package, protocol::PreprocessingStore& store,
                           AheadOptions options)
    : package_(package), store_(store), options_(std::move(options)) {}

/// One session, until the store holds what it is to hold.
void PrepareAhead::top_up() {
  if (store_.ids().size() >= options_.count) return;
  ConnectOptions wanted = options_.connect;
  wanted.ahead = true;
  const auto channel = connect(wanted);
  SessionOptions session_options;
  session_options.profile = options_.profile;
  session_options.store = &store_;
  InferenceSession session(package_, *channel, std::move(session_options));
  while (store_.ids().size() < options_.count) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    session.store();
    const std::lock_guard lock(mutex_);
    ++prepared_;
  }
  session.finish();
  channel->close();
}

/// False if there is no time left: it is to stop.
bool PrepareAhead::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, time, [&] { return stopping_; });
}

void PrepareAhead::run() {
  std::chrono::milliseconds pause = options_.first_pause;
  std::string said;
  for (;;) {
    try {
      top_up();
      pause = options_.first_pause;
      said.clear();
      if (!sleep(options_.look)) return;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::peer) throw;
      const auto* busy = dynamic_cast<const protocol::ServerBusy*>(&error);
      if (options_.notice && said != error.what() && !busy) options_.notice(error.what());
      said = error.what();
      if (!sleep(pause)) return;
      pause = std::min(2 * pause, options_.longest_pause);
    }
  }
}

void PrepareAhead::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
}

std::size_t PrepareAhead::prepared() const {
  const std::lock_guard lock(mutex_);
  return prepared_;
}

}  // namespace ap::app
