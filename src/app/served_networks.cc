#include "app/served_networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/system_limits.h"
#include "package/envelope.h"
#include "protocol/hybrid/memory.h"

namespace ap::app {
namespace {

namespace fs = std::filesystem;

fs::path beside(const fs::path& package, const char* ending) {
  std::error_code error;
  fs::path file = fs::canonical(package, error);
  if (error) fail_input("cannot read {}: {}", package.string(), error.message());
  file += ending;
  return file;
}

}  // namespace

fs::path ledger_beside(const fs::path& package) { return beside(package, ".ledger"); }

fs::path identity_beside(const fs::path& package) {
  std::error_code error;
  if (fs::is_directory(package, error)) return fs::canonical(package, error) / "server.identity";
  return beside(package, ".identity");
}

ServedNetworks::ServedNetworks(const package::Package& package, const ServerConfig& config)
    : config_(config) {
  ServedNetwork::Place place;
  place.name = "network";
  place.ledger = config.ledger;
  place.store = config.store;
  entries_[fs::path()].network = std::make_shared<ServedNetwork>(package, place, config);
  publish();
}

ServedNetworks::ServedNetworks(std::vector<fs::path> sources, const ServerConfig& config)
    : config_(config), sources_(std::move(sources)) {
  std::error_code ignored;
  watches_ = std::ranges::any_of(sources_, [&](const fs::path& s) { return fs::is_directory(s, ignored); });
  several_ = watches_ || sources_.size() > 1;
  if (!several_ && !sources_.empty()) {  // its own sentence is better than one about all
    const std::vector<PackageFile> files = package_files(sources_);
    Entry& entry = entries_[files.front().path];
    entry.seen = entry.judged = files.front().stamp;
    entry.network = load(files.front(), entry);
    publish();
    return;
  }
  refresh(Look::at_once);
  if (now()->empty()) {
    std::string names;
    for (const fs::path& source : sources_) names += (names.empty() ? "" : ", ") + source.string();
    fail_input(
        "there is no server's package that can be used in {}; a folder is to hold files NAME.apm or folders "
        "NAME with a server.apm, as `autoprivacy compile --out` makes them",
        names.empty() ? "no folder at all" : names);
  }
}

std::shared_ptr<const ServedNetworks::List> ServedNetworks::now() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

std::shared_ptr<ServedNetwork> ServedNetworks::find(const package::PackageId& id) const {
  const auto list = now();
  const auto found = std::ranges::find_if(*list, [&](const auto& network) { return network->id() == id; });
  return found == list->end() ? nullptr : *found;
}

void ServedNetworks::publish() {
  auto list = std::make_shared<List>();
  for (const auto& [path, entry] : entries_) {
    if (entry.network) list->push_back(entry.network);
  }
  const std::lock_guard lock(mutex_);
  list_ = std::move(list);
}

ServedNetwork::Place ServedNetworks::place_of(const PackageFile& file, const package::PackageId& id) const {
  ServedNetwork::Place place;
  place.name = file.name;
  place.ledger =
      config_.ledger.empty() && config_.ledger_beside_packages ? ledger_beside(file.path) : config_.ledger;
  if (!config_.store.empty()) {
    place.store = config_.store;
    if (several_) place.store /= package::to_hex(id);
  }
  return place;
}

/// Where a package that is new here is put, with what the others take.
ServedNetwork::Place ServedNetworks::new_place(const PackageFile& file, const Entry& entry,
                                               const package::PackageId& id) const {
  ServedNetwork::Place place = place_of(file, id);
  for (const auto& [path, other] : entries_) {
    if (!other.network || other.network == entry.network) continue;
    if (other.network->id() == id)
      fail_input("it holds the same package as {}, which is served already", path.string());
    place.others += other.network->model_bytes();
    place.other_session = std::max(place.other_session, other.network->session_bytes());
  }
  return place;
}

/// @throws Error(input) if a network that comes to others does not fit what memory is left.
void ServedNetworks::check_memory(std::uint64_t bytes) const {
  if (!several_ || config_.max_memory_bytes != 0) return;
  const auto left = available_memory();
  if (left && *left < bytes) {
    fail_input("its weights take {} MB of memory, and {} MB are left", bytes / 1'000'000, *left / 1'000'000);
  }
}

/// @throws Error if the file cannot be served
std::shared_ptr<ServedNetwork> ServedNetworks::load(const PackageFile& file, const Entry& entry) {
  if (package::kind_of(file.path) == package::Kind::he) {
    he_only::Package package = he_only::load(file.path);
    if (package.role != Party::server && several_) return nullptr;
    if (entry.network && entry.network->id() == package.id) return entry.network;
    ServedNetwork::Place place = new_place(file, entry, package.id);
    if (package.role == Party::server) check_memory(protocol::he::memory_needs(*package.secret).weights);
    return std::make_shared<ServedNetwork>(std::move(package), std::move(place), config_);
  }
  const package::Package package = package::load(file.path);
  if (package.role != Party::server) {
    if (!several_) package::load(file.path, Party::server);  // says so
    return nullptr;
  }
  if (entry.network && entry.network->id() == package.id) return entry.network;
  ServedNetwork::Place place = new_place(file, entry, package.id);
  if (several_ && config_.max_memory_bytes == 0) {
    const protocol::MemoryNeeds needs =
        protocol::memory_needs(protocol::Model(package.network, package.plan));
    check_memory(needs.model + needs.weights);
  }
  return std::make_shared<ServedNetwork>(package, std::move(place), config_);
}

/// Whether the entry has another network now.
bool ServedNetworks::judge(const PackageFile& file, Entry& entry) {
  entry.judged = file.stamp;
  try {
    auto network = load(file, entry);
    if (network == entry.network) return false;
    if (network) {
      config_.say(LogLevel::info,
                  fmt::format("{} is served now: package {}, {} MB of weights, up to {} MB a session{}",
                              network->name(), package::to_hex(network->id()),
                              network->model_bytes() / 1'000'000, network->session_bytes() / 1'000'000,
                              entry.network ? "; sessions of the one before go on" : ""));
    } else {
      config_.say(LogLevel::warning,
                  fmt::format("{} is no server's package any more, so {} is served no longer",
                              file.path.string(), entry.network->name()));
    }
    entry.network = std::move(network);
    return true;
  } catch (const Error& error) {
    config_.say(LogLevel::error,
                fmt::format("cannot serve {}: {}{}", file.path.string(), error.what(),
                            entry.network ? "; the package that was there before goes on" : ""));
  } catch (const std::bad_alloc&) {
    config_.say(LogLevel::error, fmt::format("cannot serve {}: there is not enough memory for its weights",
                                             file.path.string()));
  }
  return false;
}

bool ServedNetworks::refresh(Look look) {
  if (sources_.empty()) return false;
  std::vector<PackageFile> files;
  try {
    files = package_files(sources_);
  } catch (const Error& error) {
    if (now()->empty()) throw;
    if (look == Look::at_once)
      config_.say(LogLevel::error, fmt::format("{}; what is served stays", error.what()));
    return false;
  }
  std::set<fs::path> here;
  for (const PackageFile& file : files) here.insert(file.path);
  bool changed = false;
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    // A file that has another name now comes back under it when that is settled.
    const bool gone = !here.contains(at->first) && (look == Look::at_once || entry.missed);
    entry.missed = !here.contains(at->first);
    if (gone && entry.network) {
      changed = true;
      config_.say(LogLevel::info,
                  fmt::format("{} is gone from {}: new clients are refused, its {} sessions go on",
                              entry.network->name(), at->first.string(), entry.network->sessions.load()));
    }
    at = gone ? entries_.erase(at) : std::next(at);
  }
  for (const PackageFile& file : files) {
    const bool named = std::ranges::find(sources_, file.path) != sources_.end();
    if (look == Look::patient && named && entries_.contains(file.path)) continue;
    Entry& entry = entries_[file.path];
    const bool settled = entry.seen == file.stamp;
    entry.seen = file.stamp;
    if (file.stamp == entry.judged || (look == Look::patient && !settled)) continue;
    changed = judge(file, entry) || changed;
  }
  if (changed) publish();
  return changed;
}

}  // namespace ap::app
