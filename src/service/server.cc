#include "service/server.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <list>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "net/websocket.h"
#include "protocol/engines.h"
#include "protocol/messages.h"
#include "protocol/server.h"
#include "service/store_owner.h"

namespace ap::service {
namespace {

// How long the accept loop sleeps at most before it looks for ended sessions.
constexpr std::chrono::milliseconds kAcceptWait{200};
// Telling a client that the server is busy must not cost much: a short wait, and few at a time.
constexpr std::chrono::milliseconds kRefusalDeadline{5'000};
constexpr std::size_t kMaxRefusals = 16;
constexpr std::chrono::milliseconds kGoodbye{1'000};
// Messages that wait in either direction of one connection: enough to keep a fast line busy.
constexpr std::size_t kQueueBytes = std::size_t{64} << 20;

/// The name that a self-signed certificate carries.
std::string certificate_host(const std::string& host) {
  if (host != "0.0.0.0" && host != "::") return host;
  std::array<char, 254> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != 0 ? name.data() : "localhost";
}

/// Says goodbye without waiting long for a peer that may not listen.
void close(net::Channel& channel) {
  channel.set_deadline(kGoodbye);
  channel.close();
}

/// One connection and the thread that talks to it.
struct Conversation {
  std::uint64_t number = 0;
  /// Who it is: known once a message has come (net::Admission).
  std::shared_ptr<const Client> client;
  std::unique_ptr<net::Channel> channel;
  std::atomic<bool> ended{false};
  std::thread thread;
};

/// For the log, once a message has come.
std::string title(const Conversation& session) {
  if (session.client->name.empty()) return fmt::format("session {}", session.number);
  return fmt::format("session {} of {}", session.number, session.client->name);
}

}  // namespace

HostPort parse_listen(const std::string& text) {
  HostPort result;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos)
    fail_input("\"{}\" is no HOST:PORT to listen on; an example is 127.0.0.1:9000", text);
  result.host = text.substr(0, colon);
  if (result.host.size() >= 2 && result.host.front() == '[' && result.host.back() == ']') {
    result.host = result.host.substr(1, result.host.size() - 2);
  } else if (result.host.find(':') != std::string::npos) {
    fail_input("\"{}\" is no HOST:PORT to listen on; write an IPv6 address as [::1]:9000", text);
  }
  if (result.host.empty()) result.host = "0.0.0.0";
  const char* first = text.data() + colon + 1;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, result.port);
  if (error != std::errc() || end != last) {
    fail_input("\"{}\" is no HOST:PORT to listen on; the port must be a number from 0 to 65535", text);
  }
  return result;
}

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

namespace {

/// What a first inference would otherwise take from the system while its client waits: memory for garbled
/// tables and for keys of slots. Freed at once, and kept by the process (base/freed_memory.h).
void take_memory(const protocol::ServerModel& model) {
  constexpr std::size_t kBlock = std::size_t{16} << 20, kPage = 4096;
  std::size_t bytes = model.key_bytes();
  for (const protocol::ActivationLayer& layer : model.model().activations()) {
    if (layer.engine == "gc") bytes += protocol::material_bytes(layer);
  }
  std::vector<std::unique_ptr<std::uint8_t[]>> blocks;
  for (; bytes >= kBlock; bytes -= kBlock) {
    blocks.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kBlock));
    volatile std::uint8_t* const block = blocks.back().get();
    for (std::size_t at = 0; at < kBlock; at += kPage) block[at] = 0;
  }
}

}  // namespace

struct Server::State {
  protocol::ServerModel model;
  ServerConfig config;
  HostPort where;
  net::ChannelLimits limits;
  std::unique_ptr<net::Listener> listener;
  std::unique_ptr<protocol::MaterialStore> store;
  std::unique_ptr<ClientsFile> clients;  ///< none: anybody may connect
  std::unique_ptr<Ledger> ledger;        ///< none: inferences need not be counted
  std::string fingerprint;
  std::atomic<bool> groups_noted{false};  ///< the ledger knows the groups of the file of clients as it is
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> running{0};
  std::atomic<std::uint64_t> inferences{0};
  std::uint64_t next_number = 1;
  std::list<Conversation> sessions, refusals;  ///< touched by the thread of run() only

  State(const package::Package& package, ServerConfig wanted) : model(package), config(std::move(wanted)) {}

  net::Admission admission(const std::shared_ptr<Client>& client);
  ClientsFile::Clients known_clients();
  protocol::Permission may_prepare(const Conversation& session);
  void serve(Conversation& session);
  void refuse(Conversation& refusal);
  void start(std::list<Conversation>& list, std::unique_ptr<net::Channel> channel,
             std::shared_ptr<const Client> client, void (State::*talk)(Conversation&));
  void reap(std::list<Conversation>& list, bool all);
};

/// What the file of clients says now; the ledger knows the groups as well.
ClientsFile::Clients Server::State::known_clients() {
  std::string complaint;
  bool changed = false;
  ClientsFile::Clients known = clients->now(changed, complaint);
  if (!complaint.empty()) spdlog::error("{}", complaint);
  if (changed) groups_noted = false;
  if (ledger && (changed || !groups_noted)) {
    ledger->remember(*known);
    groups_noted = true;
  }
  return known;
}

net::Admission Server::State::admission(const std::shared_ptr<Client>& client) {
  if (!clients) return {};
  return [this, client](const net::ShownCredentials& shown) {
    try {
      const std::optional<Client> found = find_client(*known_clients(), shown);
      if (found) *client = *found;
      return found.has_value();
    } catch (const std::exception& error) {
      spdlog::error("{}", error.what());
      return false;
    }
  };
}

protocol::Permission Server::State::may_prepare(const Conversation& session) {
  try {
    const protocol::Permission permission = ledger->count(*session.client);
    if (permission.answer != protocol::PrepareAnswer::granted) {
      spdlog::warn("{}: refused, all {} inferences are prepared", title(session), permission.limit);
    }
    return permission;
  } catch (const Error& error) {
    spdlog::error("{}: {}; no inference is prepared uncounted", title(session), error.what());
    return {protocol::PrepareAnswer::not_counted, 0};
  }
}

void Server::State::serve(Conversation& session) {
  std::uint64_t answered = 0;
  try {
    session.channel->set_deadline(config.deadline);
    protocol::ServerOptions options;
    options.max_prepared = config.max_prepared;
    options.store = store.get();
    // Both are known once a message has come.
    options.store_owner = [&] { return store_owner(*session.client, session.channel->peer()); };
    options.share_statistics = config.share_statistics;
    if (ledger) options.may_prepare = [&] { return may_prepare(session); };
    bool refused = false;
    options.on_refusal = [&](const std::string& sentence) {
      spdlog::warn("session {}: {}", session.number, sentence);
      refused = true;
    };
    options.on_store_failure = [&](const std::string& sentence) {
      spdlog::warn("session {}: {}", session.number, sentence);
    };
    options.on_failed_check = [&] {
      spdlog::warn(
          "session {}: {} deviated in an oblivious transfer; what it had prepared is gone, and counted",
          session.number, title(session));
    };
    options.on_inference = [&] {
      ++answered;
      ++inferences;
    };
    protocol::serve_session(model, *session.channel, options);
    if (!refused) spdlog::info("{}: ended after {} inferences", title(session), answered);
  } catch (const std::bad_alloc&) {
    spdlog::error("session {}: not enough memory; lower --max-sessions or --max-prepared", session.number);
  } catch (const std::exception& error) {
    spdlog::warn("session {}: {}", session.number, error.what());
  }
}

void Server::State::refuse(Conversation& refusal) {
  try {
    refusal.channel->set_deadline(kRefusalDeadline);
    // Any greeting gets the answer, so only its size is looked at (docs/wire-format.md).
    refusal.channel->receive_exactly(protocol::kHello, sizeof(std::uint16_t) + model.id().size());
    ByteWriter welcome;
    welcome.u8(static_cast<std::uint8_t>(protocol::Welcome::busy));
    welcome.u16(protocol::kProtocolVersion);
    welcome.raw(model.id());
    refusal.channel->send(protocol::kWelcome, welcome.bytes());
    spdlog::warn("client {}: refused, all {} sessions are taken", refusal.number, config.max_sessions);
  } catch (const std::exception& error) {
    spdlog::warn("client {}: {}", refusal.number, error.what());
  }
}

void Server::State::start(std::list<Conversation>& list, std::unique_ptr<net::Channel> channel,
                          std::shared_ptr<const Client> client, void (State::*talk)(Conversation&)) {
  Conversation& conversation = list.emplace_back();
  conversation.number = next_number++;
  conversation.channel = std::move(channel);
  conversation.client = std::move(client);
  try {
    conversation.thread = std::thread([this, &conversation, talk] {
      (this->*talk)(conversation);
      close(*conversation.channel);
      conversation.ended = true;
    });
  } catch (const std::system_error& error) {
    spdlog::error("client {}: cannot start a thread: {}", conversation.number, error.what());
    list.pop_back();
  }
}

void Server::State::reap(std::list<Conversation>& list, bool all) {
  for (auto at = list.begin(); at != list.end();) {
    if (all) close(*at->channel);
    if (all || at->ended) {
      at->thread.join();
      at = list.erase(at);
    } else {
      ++at;
    }
  }
}

Server::Server(const package::Package& package, ServerConfig config) {
  if (package.role != package::Role::server) {
    fail_input("a server needs the server's package (server.apm); this is the client's");
  }
  const HostPort where = parse_listen(config.listen);
  state_ = std::make_unique<State>(package, std::move(config));
  State& s = *state_;
  s.where = where;
  s.limits.inbound_bytes = s.limits.outbound_bytes = kQueueBytes;
  const std::uint64_t session_bytes = s.model.material_bytes() * s.config.max_prepared + s.model.key_bytes() +
                                      s.limits.outbound_bytes + s.limits.inbound_bytes;
  s.config.max_sessions = sessions_within(s.config.max_memory_bytes, s.model.prepared_bytes(), session_bytes,
                                          s.config.max_sessions);
  if (s.config.identity.certificate_pem.empty()) {
    s.config.identity = net::make_self_signed(certificate_host(where.host));
  }
  if (!s.config.store.empty()) {
    if (!s.config.store_options.notice)
      s.config.store_options.notice = [](const std::string& sentence) { spdlog::info("{}", sentence); };
    s.store = std::make_unique<protocol::MaterialStore>(s.config.store, package::Role::server, s.model.id(),
                                                        s.config.store_options);
  }
  if (!s.config.clients.empty()) s.clients = std::make_unique<ClientsFile>(s.config.clients);
  const Allowance allowance{package.id, package.plan.privacy.inferences, s.config.max_inferences};
  if (allowance.counts()) {
    s.ledger = std::make_unique<Ledger>(s.config.ledger, allowance);
    s.ledger->on_nearly_used = [](const std::string& group, const Standing& now) {
      spdlog::warn("{} of the {} inferences that the weights may be asked for are prepared{}", now.prepared,
                   now.limit, group.empty() ? "" : " for group " + group);
    };
    if (s.clients) s.known_clients();
  }
  take_memory(s.model);
  s.fingerprint = net::certificate_fingerprint(s.config.identity);
  s.listener = std::make_unique<net::Listener>(where.host, where.port, s.config.identity, s.limits,
                                               s.clients != nullptr);
}

Server::~Server() {
  stop();
  state_->reap(state_->sessions, true);
  state_->reap(state_->refusals, true);
}

void Server::run() {
  State& s = *state_;
  while (!s.stopping) {
    const auto client = std::make_shared<Client>(anonymous_client());
    std::unique_ptr<net::Channel> channel = s.listener->accept(kAcceptWait, s.admission(client));
    s.reap(s.sessions, false);
    s.reap(s.refusals, false);
    s.running = s.sessions.size();
    if (!channel || s.stopping) continue;
    if (s.sessions.size() < s.config.max_sessions) {
      s.start(s.sessions, std::move(channel), client, &State::serve);
    } else if (s.refusals.size() < kMaxRefusals) {
      s.start(s.refusals, std::move(channel), client, &State::refuse);
    }  // beyond that the connection is closed without a word
    s.running = s.sessions.size();
  }
  s.reap(s.sessions, true);
  s.reap(s.refusals, true);
  s.running = 0;
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
std::string Server::fingerprint() const { return state_->fingerprint; }
const std::string& Server::certificate_pem() const { return state_->config.identity.certificate_pem; }
std::size_t Server::max_sessions() const { return state_->config.max_sessions; }
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

}  // namespace ap::service
