#include "app/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <thread>

#include "app/server_state.h"
#include "base/error.h"
#include "base/freed_memory.h"

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;

// How long the accept loop sleeps at most before it looks after its sessions.
constexpr std::chrono::milliseconds kAcceptWait{200}, kAcceptWaitOfQueue{20};
// Messages that wait in either direction of a connection whose client has not prepared an inference: next to nothing.
constexpr std::size_t kFirstQueueBytes = std::size_t{1} << 20;
// More than a greeting has, so that a wrong one gets the sentence that it deserves.
constexpr std::size_t kFirstMessageBytes = 256;
// Handshakes have no longer than --deadline, but not less than a distant client needs.
constexpr std::chrono::milliseconds kLeastHandshake{4'000};
// After so long without a session, memory that past ones took goes back to the system.
constexpr std::chrono::seconds kIdleMemory{5};

/// The name that a self-signed certificate carries.
std::string certificate_host(const std::string& host) {
  if (host != "0.0.0.0" && host != "::") return host;
  std::array<char, 254> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != 0 ? name.data() : "localhost";
}

std::uint64_t model_bytes_of(const ServedNetworks::List& networks) {
  std::uint64_t sum = 0;
  for (const auto& network : networks) sum += network->model_bytes();
  return sum;
}

/// Memory for the first inference of any network, those that need most.
void take_memory(const ServedNetworks::List& networks) {
  const auto most =
      std::ranges::max_element(networks, {}, [](const auto& network) { return network->session_bytes(); });
  if (most != networks.end()) (*most)->take_memory();
}

}  // namespace

/// What is due between clients.
void Server::State::look_after() {
  const Clock::time_point now = Clock::now();
  sessions.look_after(config.idle, config.lifetime);
  running = sessions.size();
  if (networks_changed.exchange(false)) limit_sessions();
  for (const std::string& sentence : log_budget.summaries(now)) say(LogLevel::warning, sentence);
  if (!sessions.empty() || !queue.empty() || listener->pending() > 0) {
    last_busy = now;
    memory_given_back = false;
  } else if (!memory_given_back && now - last_busy > kIdleMemory) {
    give_back_freed_memory();
    take_memory(*networks->now());
    memory_given_back = true;
  }
}

/// Browsers get the packages of what is served now: of the first network as client.apm, of every one as NAME.apm.
void Server::State::publish_packages() {
  auto pages = std::make_shared<WebPages>(*page_files);
  const auto list = networks->now();
  for (const auto& network : *list) {
    if (!network->hybrid()) continue;  // no page can run it
    if (network == list->front()) pages->add_package("client.apm", network->client_package());
    pages->add_package(network->name() + ".apm", network->client_package());
  }
  const std::lock_guard lock(pages_mutex);
  pages_now = std::move(pages);
}

std::shared_ptr<const WebPages> Server::State::now_pages() {
  const std::lock_guard lock(pages_mutex);
  return pages_now;
}

/// New packages are read and their weights prepared here, while clients are served.
void Server::State::watch() {
  std::unique_lock lock(watch_mutex);
  while (!stopping) {
    if (networks->watches()) {
      watch_wakes.wait_for(lock, config.look, [&] { return stopping || reload_wanted; });
    } else {
      watch_wakes.wait(lock, [&] { return stopping || reload_wanted; });
    }
    if (stopping) return;
    const auto look =
        std::exchange(reload_wanted, false) ? ServedNetworks::Look::at_once : ServedNetworks::Look::patient;
    lock.unlock();
    try {
      if (networks->refresh(look)) {
        networks_changed = true;
        if (page_files) publish_packages();
      }
    } catch (const std::exception& error) {
      say(LogLevel::error, fmt::format("{}; what is served stays", error.what()));
    }
    lock.lock();
  }
}

/// What the weights leave for sessions.
void Server::State::limit_sessions() {
  const std::uint64_t models = model_bytes_of(*networks->now());
  const std::uint64_t all = session_memory + counted_models;
  // Not 0, which would be no limit.
  sessions.limit(capacity.sessions, session_memory == 0 ? 0 : all > models ? all - models : 1);
}

/// Lets sessions that are at work come to their end; those that wait for their clients are sent away.
void Server::State::drain() {
  queue.clear(
      [](WaitingRoom::Guest& guest) { guest.channel->leave(kGoodbye, "the server is stopping; try again"); });
  waiting = 0;
  constexpr std::chrono::milliseconds kPause{50};
  const Clock::time_point until = Clock::now() + config.drain;
  while (Clock::now() < until) {
    look_after();
    if (sessions.empty()) return;
    sessions.send_idle_away("the server is stopping; connect again");
    std::this_thread::sleep_for(kPause);
  }
}

void Server::State::end_all() {
  listener->stop();
  sessions.end_all("the server is stopping");
  running = 0;
}

ServerFigures Server::State::figures() const {
  ServerFigures f;
  f.protocol = std::to_string(protocol::kProtocolVersion);
  f.ready = ready();
  f.stopping = stopping;
  f.sessions = running;
  f.max_sessions = capacity.sessions;
  f.pending = listener->pending();
  f.waiting = waiting;
  f.queue = config.queue;
  f.started = started;
  f.failed = failed;
  f.prepared = prepared;
  f.inferences = inferences;
  f.refused_busy = refused_busy;
  f.refused_package = refused_package;
  f.refused_version = refused_version;
  f.refused_inferences = refused_inferences;
  f.uptime_s = std::chrono::duration<double>(Clock::now() - since).count();
  for (const auto& network : *networks->now()) f.networks.push_back(network->figures());
  return f;
}

void Server::State::listen() {
  constexpr double kShareOfMemory = 0.8;  // as in capacity(), of what the machine has left
  const auto list = networks->now();
  const auto smallest =
      std::ranges::min_element(*list, {}, [](const auto& network) { return network->session_bytes(); });
  CapacityRequest request;
  request.sessions = config.max_sessions;
  request.memory_ceiling = config.max_memory_bytes;
  request.queue = config.queue;
  request.model_bytes = counted_models = model_bytes_of(*list);
  request.session_bytes = (*smallest)->session_bytes();
  const std::optional<std::uint64_t> left = available_memory();
  capacity = app::capacity(request, {descriptors(), left, available_threads()});
  if (config.max_memory_bytes > 0) {
    session_memory = config.max_memory_bytes - counted_models;
  } else if (left && networks->several()) {
    session_memory = static_cast<std::uint64_t>(static_cast<double>(*left) * kShareOfMemory);
  }
  limit_sessions();
  config.queue = capacity.queue;
  queue.limit(capacity.queue);
  net::ListenerOptions options;
  options.limits.inbound_bytes = options.limits.outbound_bytes = kFirstQueueBytes;
  options.limits.handshake = std::min(config.handshake, std::max(config.deadline, kLeastHandshake));
  options.limits.goodbye = kGoodbye;
  options.first_message_bytes = kFirstMessageBytes;
  options.max_pending = capacity.pending;
  options.max_pending_per_address = std::max<std::size_t>(1, capacity.pending * 3 / 4);
  options.threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 8U));
  if (page_files)
    options.pages = [this](const net::PageRequest& asked) { return now_pages()->answer(asked); };
  options.on_lost = [this](const std::string& address, const std::string& sentence) {
    log(LogLevel::warning, address, "{}", sentence);
  };
  if (clients) {
    options.ask_certificate = true;
    options.admit = [this](const net::ShownCredentials& shown) { return admit(shown); };
  }
  listener = std::make_unique<net::Listener>(where.host, where.port, config.identity, options);
}

net::TlsIdentity identity_from(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  if (certificate.empty() != key.empty()) {
    fail_input(
        "a certificate (--tls-cert) and its key (--tls-key) belong together; give both, or none for a "
        "self-signed certificate");
  }
  return certificate.empty() ? net::TlsIdentity{} : net::load_identity(certificate, key);
}

Server::Server(const package::Package& package, ServerConfig config)
    : state_(std::make_unique<State>(std::move(config))) {
  state_->where = parse_listen(state_->config.listen);
  state_->networks = std::make_unique<ServedNetworks>(package, state_->config);
  open();
}

Server::Server(const std::vector<std::filesystem::path>& sources, ServerConfig config)
    : state_(std::make_unique<State>(std::move(config))) {
  state_->where = parse_listen(state_->config.listen);
  state_->networks = std::make_unique<ServedNetworks>(sources, state_->config);
  open();
}

void Server::open() {
  State& s = *state_;
  if (s.config.identity.certificate_pem.empty()) {
    const std::string host = certificate_host(s.where.host);
    s.config.identity = s.config.identity_file.empty() ? net::make_self_signed(host)
                                                       : kept_identity(s.config.identity_file, host);
  }
  if (!s.config.clients.empty()) {
    s.clients = std::make_unique<ClientsFile>(s.config.clients);
    s.known_clients();
  }
  take_memory(*s.networks->now());
  s.fingerprint = net::certificate_fingerprint(s.config.identity);
  if (!s.config.web.empty()) {
    s.page_files = std::make_unique<WebPages>(s.config.web);
    s.publish_packages();
  }
  s.listen();
  if (!s.config.metrics.empty()) {
    s.endpoint = std::make_unique<StatusEndpoint>(
        s.config.metrics, [&s](std::string_view path) { return status_page(path, s.figures()); });
  }
}

Server::~Server() {
  if (!state_->listener) return;
  stop();
  state_->end_all();
}

void Server::run() {
  State& s = *state_;
  std::thread watcher([&s] { s.watch(); });
  std::exception_ptr failure;
  try {
    while (!s.stopping) {
      auto channel = s.listener->accept(s.queue.empty() ? kAcceptWait : kAcceptWaitOfQueue);
      s.look_after();
      s.admit_waiting();
      if (channel && !s.stopping) s.receive(std::move(channel));
      s.running = s.sessions.size();
    }
    s.drain();
  } catch (...) {
    failure = std::current_exception();
  }
  stop();
  s.end_all();
  watcher.join();
  if (failure) std::rethrow_exception(failure);
}

void Server::stop() {
  {
    const std::lock_guard lock(state_->watch_mutex);
    state_->stopping = true;
  }
  state_->watch_wakes.notify_all();
  state_->listener->stop();
}

void Server::reload() {
  {
    const std::lock_guard lock(state_->watch_mutex);
    state_->reload_wanted = true;
  }
  state_->watch_wakes.notify_all();
}

std::string Server::address() const {
  const std::string& host = state_->where.host;
  return fmt::format("{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]",
                     state_->listener->port());
}
std::string Server::web_address() const {
  return state_->page_files ? fmt::format("https://{}/", address()) : std::string();
}

std::string Server::metrics_address() const {
  return state_->endpoint ? state_->endpoint->address() : std::string();
}
std::string Server::fingerprint() const { return state_->fingerprint; }
const std::string& Server::certificate_pem() const { return state_->config.identity.certificate_pem; }
std::size_t Server::max_sessions() const { return state_->capacity.sessions; }
const std::vector<std::string>& Server::notes() const { return state_->capacity.notes; }
std::optional<std::size_t> Server::clients() const {
  return state_->clients ? std::optional(state_->known_clients()->size()) : std::nullopt;
}

std::vector<Offered> Server::networks() const {
  std::vector<std::string> groups = {""};
  if (state_->clients) {
    groups.clear();
    for (const Client& client : *state_->known_clients()) groups.push_back(client.group);
  }
  std::vector<Offered> offered;
  for (const auto& network : *state_->networks->now()) {
    Offered here;
    here.name = network->name();
    here.id = network->id();
    here.session_bytes = network->session_bytes();
    here.counts = network->counts();
    here.counts_from_zero = network->counts_from_zero();
    here.ledger = network->ledger_file();
    if (here.counts) {
      for (const std::string& group : groups) here.standings.emplace(group, network->standing(group));
    }
    offered.push_back(std::move(here));
  }
  return offered;
}

package::PackageId Server::id() const {
  const auto list = state_->networks->now();
  return list->empty() ? package::PackageId{} : list->front()->id();
}
std::map<std::string, Standing> Server::standings() const {
  const std::vector<Offered> offered = networks();
  return offered.empty() ? std::map<std::string, Standing>{} : offered.front().standings;
}
bool Server::counts() const {
  const auto list = state_->networks->now();
  return !list->empty() && list->front()->counts();
}
bool Server::counts_from_zero() const {
  const auto list = state_->networks->now();
  return !list->empty() && list->front()->counts_from_zero();
}
std::size_t Server::sessions() const { return state_->running; }
std::uint64_t Server::inferences() const { return state_->inferences; }

}  // namespace ap::app
