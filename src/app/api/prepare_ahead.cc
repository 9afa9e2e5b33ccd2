#include "app/prepare_ahead.h"

#include <autoprivacy/prepare_ahead.h>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "app/api/connect_options.h"
#include "app/api/convert.h"
#include "app/api/translate.h"
#include "app/audit.h"
#include "base/error.h"

namespace autoprivacy {

using ap::app::translated;

struct PrepareAhead::State {
  ap::package::Package package;
  std::unique_ptr<ap::protocol::PreprocessingStore> store;
  std::unique_ptr<ap::app::PrepareAhead> preparing;
  std::mutex mutex;  ///< of what follows
  std::thread thread;
  std::exception_ptr failure;
  bool started = false;

  State(ap::package::Package opened, std::string url, std::size_t count, const ConnectOptions& options)
      : package(std::move(opened)) {
    if (package.role != ap::Party::client)
      ap::fail_input("a client prepares ahead, with the client's package (client.apm); this is the server's");
    if (options.store.empty()) ap::fail_input("there is no store to prepare for; name a directory");
    ap::app::require_security(ap::app::audit(package));
    store = ap::app::open_client_store(options.store, package.id, options.notice);
    ap::app::AheadOptions ahead;
    ahead.connect = ap::app::connect_options(std::move(url), options);
    ahead.profile = ap::app::profile_of(options.unit_costs);
    ahead.count = count;
    ahead.notice = options.notice;
    preparing = std::make_unique<ap::app::PrepareAhead>(package, *store, std::move(ahead));
  }

  void run() {
    try {
      preparing->run();
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  }
};

PrepareAhead::PrepareAhead(const std::filesystem::path& package, std::string url, std::size_t count,
                           ConnectOptions options)
    : state_(translated([&] {
        return std::make_unique<State>(ap::package::load(package, ap::Party::client), std::move(url), count,
                                       options);
      })) {}

PrepareAhead::PrepareAhead(std::span<const std::uint8_t> package, std::string url, std::size_t count,
                           ConnectOptions options)
    : state_(translated([&] {
        return std::make_unique<State>(ap::package::parse(package, "the package"), std::move(url), count,
                                       options);
      })) {}

PrepareAhead::~PrepareAhead() {
  try {
    stop();
  } catch (const Error&) {
    // Who wants to know calls stop().
  }
}

void PrepareAhead::start() {
  translated([&] {
    State& s = *state_;
    const std::lock_guard lock(s.mutex);
    if (s.started) ap::fail_input("this was started before; make another one");
    s.thread = std::thread([&s] { s.run(); });
    s.started = true;
  });
}

void PrepareAhead::stop() {
  translated([&] {
    State& s = *state_;
    s.preparing->stop();
    std::thread thread;
    {
      const std::lock_guard lock(s.mutex);
      thread = std::move(s.thread);
    }
    if (thread.joinable()) thread.join();
    const std::lock_guard lock(s.mutex);
    if (s.failure) std::rethrow_exception(std::exchange(s.failure, nullptr));
  });
}

std::size_t PrepareAhead::prepared() const { return state_->preparing->prepared(); }
std::size_t PrepareAhead::available() const {
  return translated([&] { return state_->store->ids().size(); });
}

}  // namespace autoprivacy
