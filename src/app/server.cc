#include "app/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <list>
#include <thread>

#include "app/capacity.h"
#include "app/conversation.h"
#include "app/log_budget.h"
#include "app/memory.h"
#include "app/status_endpoint.h"
#include "app/web_pages.h"
#include "base/error.h"
#include "base/freed_memory.h"
#include "net/websocket/websocket.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/greeting.h"
#include "protocol/hybrid/server.h"

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;

// How long the accept loop sleeps at most before it looks after its sessions.
constexpr std::chrono::milliseconds kAcceptWait{200};
constexpr std::chrono::milliseconds kGoodbye{1'000};
// Messages that wait in either direction of one connection: next to nothing until the client has prepared an
// inference, then enough to keep a fast line busy.
constexpr std::size_t kFirstQueueBytes = std::size_t{1} << 20;
constexpr std::size_t kQueueBytes = std::size_t{64} << 20;
// More than a greeting has, so that a wrong one gets the sentence that it deserves.
constexpr std::size_t kFirstMessageBytes = 256;
// When all sessions are taken, one that has been idle for so long gives its place to a newcomer: one that has
// never prepared anything, and one that has.
constexpr std::chrono::milliseconds kNewPatience{2'000}, kPatience{30'000};
// After so long without a session, memory that past ones took goes back to the system.
constexpr std::chrono::seconds kIdleMemory{5};

/// The name that a self-signed certificate carries.
std::string certificate_host(const std::string& host) {
  if (host != "0.0.0.0" && host != "::") return host;
  std::array<char, 254> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != 0 ? name.data() : "localhost";
}

/// What a first inference would otherwise take from the system while its client waits: memory for garbled
/// tables and for rotation keys. Freed at once, and kept by the process (base/freed_memory.h).
void take_memory(const protocol::ServerModel& model) {
  constexpr std::size_t kBlock = std::size_t{16} << 20, kPage = 4096;
  std::size_t bytes = model.key_bytes();
  for (const protocol::ActivationLayer& layer : model.model().activations()) {
    if (layer.protocol == "gc") bytes += protocol::preprocessing_bytes(layer);
  }
  std::vector<std::unique_ptr<std::uint8_t[]>> blocks;
  for (; bytes >= kBlock; bytes -= kBlock) {
    blocks.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kBlock));
    volatile std::uint8_t* const block = blocks.back().get();
    for (std::size_t at = 0; at < kBlock; at += kPage) block[at] = 0;
  }
}

/// At most, with all that may wait in its queues.
std::uint64_t session_bytes(const protocol::MemoryNeeds& needs, const ServerConfig& config) {
  return needs.session(config.max_prepared) + 2 * kQueueBytes;
}

/// The package's model. @throws Error(input), before memory is taken for its weights, if the ceiling that the operator
/// has set leaves no room for them and a session.
protocol::Model fitting_model(const package::Package& package, const ServerConfig& config) {
  protocol::Model model(package.network, package.plan);
  const protocol::MemoryNeeds needs = protocol::memory_needs(model);
  sessions_within(config.max_memory_bytes, model_bytes(needs), session_bytes(needs, config),
                  config.max_sessions);
  return model;
}

}  // namespace

struct Server::State {
  protocol::ServerModel model;
  ServerConfig config;
  HostPort where;
  Capacity capacity;
  std::shared_ptr<WebPages> pages;  ///< none: the port is for clients of the protocol alone
  std::unique_ptr<net::Listener> listener;
  std::unique_ptr<protocol::PreprocessingStore> store;
  std::unique_ptr<ClientsFile> clients;  ///< none: anybody may connect
  std::unique_ptr<Ledger> ledger;        ///< none: inferences need not be counted
  LogBudget log_budget;
  std::string fingerprint;
  std::atomic<bool> groups_noted{false};  ///< the ledger knows the groups of the file of clients as it is
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> running{0};
  std::atomic<std::uint64_t> inferences{0}, prepared{0}, started{0}, failed{0};
  std::atomic<std::uint64_t> refused_busy{0}, refused_package{0}, refused_version{0}, refused_inferences{0};
  const Clock::time_point since = Clock::now();
  // Touched by the thread of run() only.
  std::uint64_t next_number = 1;
  std::list<Conversation> sessions;
  Clock::time_point last_busy = Clock::now();
  bool memory_given_back = true;
  std::unique_ptr<StatusEndpoint> endpoint;  ///< last: it reads the others

  State(const package::Package& package, ServerConfig wanted)
      : model(package, fitting_model(package, wanted)), config(std::move(wanted)) {}

  void say(LogLevel level, const std::string& sentence) const {
    if (config.log) config.log(level, sentence);
  }
  /// About an address, as far as its budget goes.
  template <typename... Arguments>
  void log(LogLevel level, const std::string& address, fmt::format_string<Arguments...> format,
           Arguments&&... arguments) {
    if (log_budget.allows(address)) say(level, fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void listen();
  bool ready() const { return !stopping && running < capacity.sessions; }
  StatusPage page(std::string_view path) const;
  ClientsFile::Clients known_clients();
  std::any admit(const net::ShownCredentials& shown);
  protocol::Permission may_prepare(const Conversation& session);
  void receive(std::unique_ptr<net::ServedChannel> channel);
  bool make_place();
  void serve(Conversation& session);
  void look_after();
  void drain();
  void end_all();
};

/// What the file of clients says now; the ledger knows the groups as well.
ClientsFile::Clients Server::State::known_clients() {
  std::string complaint;
  bool changed = false;
  ClientsFile::Clients known = clients->now(changed, complaint);
  if (!complaint.empty()) say(LogLevel::error, complaint);
  if (changed) groups_noted = false;
  if (ledger && (changed || !groups_noted)) {
    ledger->remember(*known);
    groups_noted = true;
  }
  return known;
}

std::any Server::State::admit(const net::ShownCredentials& shown) {
  try {
    const std::optional<Client> found = find_client(*known_clients(), shown);
    return found ? std::any(*found) : std::any();
  } catch (const std::exception& error) {
    say(LogLevel::error, error.what());
    return {};
  }
}

protocol::Permission Server::State::may_prepare(const Conversation& session) {
  const std::string& address = session.channel().address();
  if (!ledger) return {};
  try {
    const protocol::Permission permission = ledger->count(session.client());
    if (permission.answer != protocol::PrepareAnswer::granted) {
      ++refused_inferences;
      log(LogLevel::warning, address, "{}: refused, all {} inferences are prepared", session.title(),
          permission.limit);
    }
    return permission;
  } catch (const Error& error) {
    log(LogLevel::error, address, "{}: {}; no inference is prepared uncounted", session.title(),
        error.what());
    return {protocol::PrepareAnswer::not_counted, 0};
  }
}

/// A client has sent its first message. Never waits: all that is read is there, and what is sent is queued.
void Server::State::receive(std::unique_ptr<net::ServedChannel> channel) {
  const std::string address = channel->address(), peer = channel->peer();
  try {
    const protocol::Greeting greeting = protocol::receive_greeting(*channel, model.id());
    protocol::Welcome status = greeting.status;
    if (status == protocol::Welcome::other_package) ++refused_package;
    if (status == protocol::Welcome::other_version) ++refused_version;
    std::string refusal = greeting.refusal;
    if (status == protocol::Welcome::ready && make_place()) {
      const auto* known = std::any_cast<Client>(&channel->admitted_as());
      Conversation& session =
          sessions.emplace_back(next_number++, std::move(channel), known ? *known : anonymous_client());
      try {
        session.start([this](Conversation& here) { serve(here); });
        ++started;
        return;
      } catch (const std::system_error& error) {
        protocol::answer_greeting(session.channel(), model.id(), protocol::Welcome::busy);
        session.channel().leave(kGoodbye);
        log(LogLevel::error, address, "{}: cannot start a thread: {}", session.title(), error.what());
        sessions.pop_back();
        return;
      }
    }
    if (status == protocol::Welcome::ready) {
      status = protocol::Welcome::busy;
      ++refused_busy;
      refusal = fmt::format("refused, all {} sessions are taken", capacity.sessions);
    }
    protocol::answer_greeting(*channel, model.id(), status);
    log(LogLevel::warning, address, "{}: {}", peer, refusal);
  } catch (const std::exception& error) {
    log(LogLevel::warning, address, "{}", error.what());
  }
  if (channel) channel->leave(kGoodbye);
}

/// Whether there is place for one more session; if need be an idle one is sent away.
bool Server::State::make_place() {
  std::size_t staying = 0;
  Conversation* most_idle = nullptr;
  std::chrono::milliseconds most{0};
  for (Conversation& session : sessions) {
    if (session.is_leaving() || session.ended()) continue;
    ++staying;
    const auto beyond = session.idle() - (session.has_progressed() ? kPatience : kNewPatience);
    if (beyond >= std::chrono::milliseconds(0) && (!most_idle || beyond > most)) {
      most_idle = &session;
      most = beyond;
    }
  }
  if (staying < capacity.sessions) return true;
  if (!most_idle) return false;
  most_idle->send_away("idle, and its place is needed; connect again");
  return true;
}

void Server::State::serve(Conversation& session) {
  const std::string& address = session.channel().address();
  const std::string& title = session.title();
  std::uint64_t answered = 0, prepared_here = 0;
  // For the operator: one line a session, whose figures are those of the wire.
  const auto account = [&] {
    const net::Traffic traffic = session.channel().traffic();
    return fmt::format("{} inferences ({} prepared) in {:.1f} s, {:.1f} MB in, {:.1f} MB out, {}", answered,
                       prepared_here, std::chrono::duration<double>(Clock::now() - session.since()).count(),
                       static_cast<double>(traffic.bytes_received) / 1e6,
                       static_cast<double>(traffic.bytes_sent) / 1e6, session.channel().peer());
  };
  try {
    session.channel().set_deadline(config.deadline);
    protocol::answer_greeting(session.channel(), model.id(), protocol::Welcome::ready,
                              config.share_statistics);
    protocol::ServerOptions options;
    options.max_prepared = config.max_prepared;
    options.store = store.get();
    using Kind = protocol::StoreOwner::Kind;
    options.store_owner = session.client().name.empty()
                              ? protocol::make_owner(Kind::address, address)
                              : protocol::make_owner(Kind::client, session.client().name);
    options.share_statistics = config.share_statistics;
    options.may_prepare = [&] {
      const protocol::Permission permission = may_prepare(session);
      if (permission.answer == protocol::PrepareAnswer::granted) {
        ++prepared;
        ++prepared_here;
        session.channel().set_queue_bytes(kQueueBytes);
      }
      return permission;
    };
    options.on_progress = [&] { session.note_progress(); };
    options.on_probe = [&] { session.note_probe(); };
    options.on_store_failure = [&](const std::string& sentence) {
      log(LogLevel::warning, address, "{}: {}", title, sentence);
    };
    options.on_failed_check = [&] {
      log(LogLevel::warning, address,
          "{} deviated in an oblivious transfer; what it had prepared is gone, and counted", title);
    };
    options.on_inference = [&] {
      ++answered;
      ++inferences;
    };
    protocol::serve_greeted(model, session.channel(), options);
    log(LogLevel::info, address, "{}: ended after {}", title, account());
  } catch (const std::bad_alloc&) {
    ++failed;
    log(LogLevel::error, address, "{}: not enough memory; lower --max-sessions or --max-prepared", title);
  } catch (const std::exception& error) {
    const std::string reason = session.sent_away_because();
    if (reason.empty()) ++failed;
    log(LogLevel::warning, address, "{}: {}", title,
        reason.empty() ? std::string(error.what())
                       : fmt::format("{} was sent away: {}", session.channel().peer(), reason));
  }
}

/// What is due between clients.
void Server::State::look_after() {
  const Clock::time_point now = Clock::now();
  for (auto at = sessions.begin(); at != sessions.end();) {
    if (at->ended()) {
      at->join();
      at = sessions.erase(at);
      continue;
    }
    const double seconds = std::chrono::duration<double>(config.idle).count();
    if (at->idle() > config.idle)
      at->send_away(fmt::format("it prepared and classified nothing for {} s", seconds));
    if (now - at->since() > config.lifetime) at->send_away("its session has lasted too long; connect again");
    ++at;
  }
  running = sessions.size();
  for (const std::string& sentence : log_budget.summaries(now)) say(LogLevel::warning, sentence);
  if (!sessions.empty() || listener->pending() > 0) {
    last_busy = now;
    memory_given_back = false;
  } else if (!memory_given_back && now - last_busy > kIdleMemory) {
    give_back_freed_memory();
    take_memory(model);
    memory_given_back = true;
  }
}

/// Lets sessions that are at work come to their end; those that wait for their clients are sent away.
void Server::State::drain() {
  constexpr std::chrono::milliseconds kPause{50}, kQuiet{1'000};
  const Clock::time_point until = Clock::now() + config.drain;
  while (Clock::now() < until) {
    look_after();
    if (sessions.empty()) return;
    for (Conversation& session : sessions) {
      if (session.idle() > kQuiet) session.send_away("the server is stopping; connect again");
    }
    std::this_thread::sleep_for(kPause);
  }
}

void Server::State::end_all() {
  listener->stop();
  for (Conversation& session : sessions) session.send_away("the server is stopping");
  for (Conversation& session : sessions) session.join();
  sessions.clear();
  running = 0;
}

StatusPage Server::State::page(std::string_view path) const {
  if (path == "/healthz") return {200, "ok\n"};
  if (path == "/readyz") {
    if (ready()) return {200, "ready\n"};
    return {503, stopping ? "the server is stopping\n"
                          : fmt::format("all {} sessions are taken\n", capacity.sessions)};
  }
  if (path != "/metrics") return {404, "here are /healthz, /readyz and /metrics\n"};
  ServerFigures f;
  f.protocol = std::to_string(protocol::kProtocolVersion);
  f.package = package::to_hex(model.id());
  f.ready = ready();
  f.sessions = running;
  f.max_sessions = capacity.sessions;
  f.pending = listener->pending();
  f.started = started;
  f.failed = failed;
  f.prepared = prepared;
  f.inferences = inferences;
  f.refused_busy = refused_busy;
  f.refused_package = refused_package;
  f.refused_version = refused_version;
  f.refused_inferences = refused_inferences;
  f.uptime_s = std::chrono::duration<double>(Clock::now() - since).count();
  return {200, metrics_text(f)};
}

void Server::State::listen() {
  CapacityRequest request;
  request.sessions = config.max_sessions;
  request.memory_ceiling = config.max_memory_bytes;
  const protocol::MemoryNeeds needs = protocol::memory_needs(model.model());
  request.model_bytes = model_bytes(needs);
  request.session_bytes = session_bytes(needs, config);
  capacity = app::capacity(request, {descriptors(), available_memory(), available_threads()});
  net::ListenerOptions options;
  options.limits.inbound_bytes = options.limits.outbound_bytes = kFirstQueueBytes;
  options.limits.handshake = config.handshake;
  options.limits.goodbye = kGoodbye;
  options.first_message_bytes = kFirstMessageBytes;
  options.max_pending = capacity.pending;
  options.max_pending_per_address = std::max<std::size_t>(1, capacity.pending * 3 / 4);
  options.threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 8U));
  if (pages) options.pages = [pages = pages](const net::PageRequest& asked) { return pages->answer(asked); };
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

namespace {

std::filesystem::path beside(const std::filesystem::path& package, const char* ending) {
  std::error_code error;
  std::filesystem::path file = std::filesystem::canonical(package, error);
  if (error) fail_input("cannot read {}: {}", package.string(), error.message());
  file += ending;
  return file;
}

}  // namespace

std::filesystem::path ledger_beside(const std::filesystem::path& package) {
  return beside(package, ".ledger");
}

std::filesystem::path identity_beside(const std::filesystem::path& package) {
  return beside(package, ".identity");
}

Server::Server(const package::Package& package, ServerConfig config) {
  if (package.role != Party::server) {
    fail_input("a server needs the server's package (server.apm); this is the client's");
  }
  const HostPort where = parse_listen(config.listen);
  state_ = std::make_unique<State>(package, std::move(config));
  State& s = *state_;
  s.where = where;
  if (s.config.identity.certificate_pem.empty()) {
    const std::string host = certificate_host(where.host);
    s.config.identity = s.config.identity_file.empty() ? net::make_self_signed(host)
                                                       : kept_identity(s.config.identity_file, host);
  }
  if (!s.config.store.empty()) {
    if (!s.config.store_options.notice)
      s.config.store_options.notice = [&s](const std::string& sentence) { s.say(LogLevel::info, sentence); };
    s.store = std::make_unique<protocol::PreprocessingStore>(s.config.store, Party::server, s.model.id(),
                                                             s.config.store_options);
  }
  if (!s.config.clients.empty()) s.clients = std::make_unique<ClientsFile>(s.config.clients);
  const Allowance allowance{package.id, package.plan.privacy.inferences, s.config.max_inferences};
  if (allowance.counts()) {
    s.ledger = std::make_unique<Ledger>(s.config.ledger, allowance);
    s.ledger->on_nearly_used = [&s](const std::string& group, const Standing& now) {
      s.say(LogLevel::warning,
            fmt::format("{} of the {} inferences that the weights may be asked for are prepared{}",
                        now.prepared, now.limit, group.empty() ? "" : " for group " + group));
    };
    if (s.clients) s.known_clients();
  }
  take_memory(s.model);
  s.fingerprint = net::certificate_fingerprint(s.config.identity);
  if (!s.config.web.empty()) {
    s.pages = std::make_shared<WebPages>(s.config.web);
    s.pages->add_package("client.apm", package);
  }
  s.listen();
  if (!s.config.metrics.empty()) {
    s.endpoint = std::make_unique<StatusEndpoint>(s.config.metrics,
                                                  [&s](std::string_view path) { return s.page(path); });
  }
}

Server::~Server() {
  stop();
  state_->end_all();
}

void Server::run() {
  State& s = *state_;
  while (!s.stopping) {
    auto channel = s.listener->accept(kAcceptWait);
    s.look_after();
    if (channel && !s.stopping) s.receive(std::move(channel));
    s.running = s.sessions.size();
  }
  s.drain();
  s.end_all();
}

void Server::stop() {
  state_->stopping = true;
  state_->listener->stop();
}

std::string Server::address() const {
  const std::string& host = state_->where.host;
  return fmt::format("{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]",
                     state_->listener->port());
}
const package::PackageId& Server::id() const { return state_->model.id(); }
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
std::map<std::string, Standing> Server::standings() const {
  std::map<std::string, Standing> found;
  if (!state_->ledger) return found;
  if (!state_->clients) found.emplace("", Standing{});
  if (state_->clients) {
    for (const Client& client : *state_->known_clients()) found.emplace(client.group, Standing{});
  }
  for (auto& [group, standing] : found) standing = state_->ledger->standing(group);
  return found;
}
bool Server::counts() const { return state_->ledger != nullptr; }
bool Server::counts_from_zero() const { return state_->ledger && state_->ledger->is_new(); }
std::size_t Server::sessions() const { return state_->running; }
std::uint64_t Server::inferences() const { return state_->inferences; }

}  // namespace ap::app
