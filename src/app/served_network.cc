#include "app/served_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "app/capacity.h"
#include "app/memory.h"
#include "base/error.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/memory.h"

namespace ap::app {
namespace {

/// The package's model. @throws Error(input), before memory is taken for its weights, if the ceiling that the operator
/// has set leaves no room for them and a session.
protocol::Model fitting_model(const package::Package& package, const ServedNetwork::Place& place,
                              const ServerConfig& config, std::uint64_t& model, std::uint64_t& session) {
  if (package.role != Party::server) {
    fail_input("a server needs the server's package (server.apm); this is the client's");
  }
  if (config.check) config.check(package);
  protocol::Model made(package.network, package.plan);
  model = model_bytes(protocol::memory_needs(made));
  session = session_bytes(made, config);
  sessions_within(config.max_memory_bytes, place.others + model, std::max(session, place.other_session),
                  config.max_sessions);
  return made;
}

}  // namespace

std::uint64_t session_bytes(const protocol::Model& model, const ServerConfig& config) {
  return protocol::memory_needs(model).session(config.max_prepared) + 2 * kSessionQueueBytes;
}

ServedNetwork::ServedNetwork(const package::Package& package, Place place, const ServerConfig& config)
    : config_(config), place_(std::move(place)), id_(package.id) {
  protocol::Model model = fitting_model(package, place_, config, model_bytes_, session_bytes_);
  hybrid_.emplace(package, std::move(model));
  if (!place_.store.empty()) {
    protocol::StoreOptions options = config.store_options;
    if (!options.notice)
      options.notice = [&config](const std::string& sentence) { config.say(LogLevel::info, sentence); };
    store_ = std::make_unique<protocol::PreprocessingStore>(place_.store, Party::server, package.id, options);
  }
  if (!config.web.empty()) client_package_ = WebPages::package_file(package);
  open_ledger(package.plan.privacy.inferences);
}

ServedNetwork::ServedNetwork(he_only::Package package, Place place, const ServerConfig& config)
    : config_(config), place_(std::move(place)), id_(package.id) {
  if (package.role != Party::server) {
    fail_input("a server needs the server's package (server.apm); this is the client's");
  }
  he_only::require_secure(package.shared);
  const protocol::he::MemoryNeeds needs = protocol::he::memory_needs(*package.secret);
  model_bytes_ = needs.weights;
  session_bytes_ = needs.session + 2 * kSessionQueueBytes;
  sessions_within(config.max_memory_bytes, place_.others + model_bytes_,
                  std::max(session_bytes_, place_.other_session), config.max_sessions);
  const std::uint64_t limit = package.shared.inferences;
  he_ = std::make_unique<const protocol::he::ServerModel>(std::move(package));
  open_ledger(limit);
}

void ServedNetwork::open_ledger(std::uint64_t limit) {
  const Allowance allowance{id_, limit, config_.max_inferences};
  if (!allowance.counts()) return;
  ledger_ = std::make_unique<Ledger>(place_.ledger, allowance);
  ledger_->on_nearly_used = [this](const std::string& group, const Standing& now) {
    config_.say(LogLevel::warning,
                fmt::format("{} of the {} inferences that the weights may be asked for are prepared{}",
                            now.prepared, now.limit, group.empty() ? "" : " for group " + group));
  };
}

void ServedNetwork::remember(const std::vector<Client>& clients, std::uint64_t version) {
  if (!ledger_ || remembered_ == version) return;
  ledger_->remember(clients);
  remembered_ = version;
}

protocol::Permission ServedNetwork::count(const Client& client) {
  return ledger_ ? ledger_->count(client) : protocol::Permission{};
}

void ServedNetwork::take_memory() const {
  constexpr std::size_t kBlock = std::size_t{16} << 20, kPage = 4096;
  if (!hybrid_) return;
  std::size_t bytes = hybrid_->key_bytes();
  for (const protocol::ActivationLayer& layer : hybrid_->model().activations()) {
    if (layer.protocol == "gc") bytes += protocol::preprocessing_bytes(layer);
  }
  std::vector<std::unique_ptr<std::uint8_t[]>> blocks;
  for (; bytes >= kBlock; bytes -= kBlock) {
    blocks.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kBlock));
    volatile std::uint8_t* const block = blocks.back().get();
    for (std::size_t at = 0; at < kBlock; at += kPage) block[at] = 0;
  }
}

NetworkFigures ServedNetwork::figures() const {
  NetworkFigures f;
  f.name = place_.name;
  f.package = package::to_hex(id());
  f.sessions = sessions;
  f.session_bytes = session_bytes_;
  f.weights_bytes = hybrid_ ? hybrid_->prepared_bytes() : model_bytes_;
  f.started = started;
  f.failed = failed;
  f.prepared = prepared;
  f.inferences = inferences;
  f.refused_inferences = refused_inferences;
  return f;
}

}  // namespace ap::app
