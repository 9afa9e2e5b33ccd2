// How a server answers its clients: the greeting, a session, or why there is none.
#include <new>

#include "app/server_state.h"
#include "base/error.h"
#include "protocol/hybrid/greeting.h"
#include "protocol/hybrid/server.h"

namespace ap::app {

namespace {

using Clock = std::chrono::steady_clock;

/// Whether the client has said that it would wait for a place.
bool waits(const net::ServedChannel& channel) { return channel.target().ends_with(protocol::kWaits); }

}  // namespace

/// What the file of clients says now; the ledgers know the groups as well.
ClientsFile::Clients Server::State::known_clients() {
  std::string complaint;
  bool changed = false;
  ClientsFile::Clients known = clients->now(changed, complaint);
  if (!complaint.empty()) say(LogLevel::error, complaint);
  if (changed) ++clients_version;
  for (const auto& network : *networks->now()) network->remember(*known, clients_version);
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

protocol::Permission Server::State::may_prepare(const Session& session) {
  const Conversation& here = session.conversation;
  try {
    const protocol::Permission permission = session.network->count(here.client());
    if (permission.answer != protocol::PrepareAnswer::granted) {
      ++refused_inferences;
      ++session.network->refused_inferences;
      log(LogLevel::warning, here.channel().address(), "{}: refused, all {} inferences are prepared",
          here.title(), permission.limit);
    }
    return permission;
  } catch (const Error& error) {
    log(LogLevel::error, here.channel().address(), "{}: {}; no inference is prepared uncounted", here.title(),
        error.what());
    return {protocol::PrepareAnswer::not_counted, 0};
  }
}

/// Sends a client away that has greeted.
void Server::State::refuse(net::ServedChannel& channel, protocol::Welcome status, const std::string& why) {
  // A client of another package is told which one is served, where that cannot change; of several it is told none.
  package::PackageId told{};
  if (!networks->several()) {
    const auto list = networks->now();
    if (!list->empty()) told = list->front()->id();
  }
  if (status == protocol::Welcome::busy) ++refused_busy;
  if (status == protocol::Welcome::other_package) ++refused_package;
  if (status == protocol::Welcome::other_version) ++refused_version;
  log(LogLevel::warning, channel.address(), "{}: refused, {}", channel.peer(), why);
  protocol::answer_greeting(channel, told, status);
}

/// Sends a client away for which there is no place; one that would have waited is told when to come again.
void Server::State::refuse_busy(net::ServedChannel& channel, const std::string& why) {
  if (!waits(channel)) return refuse(channel, protocol::Welcome::busy, why);
  ++refused_busy;
  log(LogLevel::warning, channel.address(), "{}: refused, {}", channel.peer(), why);
  protocol::answer_busy(
      channel, {}, WaitingRoom::estimate(queue.size() + 1, sessions.typical_seconds(), capacity.sessions));
}

/// A session, if there is a thread for it; else the client is told, and its channel stays.
bool Server::State::begin(const std::shared_ptr<ServedNetwork>& network,
                          std::unique_ptr<net::ServedChannel>& channel, const Client& client) {
  if (clients) known_clients();  // a network may have come since the client was admitted
  if (!sessions.start(network, channel, client, [this](Session& here) { serve(here); })) {
    refuse_busy(*channel, "no thread can be started for it");
    return false;
  }
  ++started;
  ++network->started;
  return true;
}

/// A client has sent its first message. Never waits: all that is read is there, and what is sent is queued.
void Server::State::receive(std::unique_ptr<net::ServedChannel> channel) {
  const std::string address = channel->address();
  try {
    const protocol::Hello hello = protocol::receive_hello(*channel);
    const std::shared_ptr<ServedNetwork> network = networks->find(hello.package);
    const auto* known = std::any_cast<Client>(&channel->admitted_as());
    const Client client = known ? *known : anonymous_client();
    if (hello.version != protocol::kProtocolVersion) {
      refuse(*channel, protocol::Welcome::other_version,
             fmt::format("it speaks protocol version {}, this server {}", hello.version,
                         protocol::kProtocolVersion));
    } else if (!network) {
      refuse(*channel, protocol::Welcome::other_package,
             fmt::format("it asks for package {}, which is not served", package::to_hex(hello.package)));
    } else if (queue.empty() && sessions.make_place(network->session_bytes())) {
      if (begin(network, channel, client)) return;
    } else if (waits(*channel) && queue.has_room(*channel, client)) {
      log(LogLevel::info, address, "{}: waits for a place, {} before it", channel->peer(), queue.size());
      queue.add({std::move(channel), network, client});
      return admit_waiting();
    } else {
      refuse_busy(*channel, fmt::format("all {} sessions are taken", capacity.sessions));
    }
  } catch (const std::exception& error) {
    log(LogLevel::warning, address, "{}", error.what());
  }
  if (channel) channel->leave(kGoodbye);
}

/// Lets in whose turn it is, and tells the others where they stand.
void Server::State::admit_waiting() {
  while (!queue.empty() && sessions.make_place(queue.front().network->session_bytes())) {
    WaitingRoom::Guest guest = queue.take_front();
    const std::string address = guest.channel->address();
    try {
      if (begin(guest.network, guest.channel, guest.client)) continue;
    } catch (const std::exception& error) {
      log(LogLevel::warning, address, "{}", error.what());
    }
    if (guest.channel) guest.channel->leave(kGoodbye);
  }
  queue.tell(sessions.typical_seconds(), capacity.sessions,
             [this](WaitingRoom::Guest& guest, const std::string& why, bool gone) {
               try {
                 if (!gone) refuse_busy(*guest.channel, why);
                 if (gone) log(LogLevel::warning, guest.channel->address(), "{}", why);
               } catch (const Error& error) {
                 log(LogLevel::warning, guest.channel->address(), "{}", error.what());
               }
               guest.channel->leave(kGoodbye);
             });
  waiting = queue.size();
}

/// For the operator: one line a session, whose figures are those of the wire.
std::string Server::State::account(const Session& session, std::uint64_t answered,
                                   std::uint64_t prepared_here) const {
  const Conversation& here = session.conversation;
  const net::Traffic traffic = here.channel().traffic();
  return fmt::format("{} inferences ({} prepared) in {:.1f} s, {:.1f} MB in, {:.1f} MB out, {}{}", answered,
                     prepared_here, std::chrono::duration<double>(Clock::now() - here.since()).count(),
                     static_cast<double>(traffic.bytes_received) / 1e6,
                     static_cast<double>(traffic.bytes_sent) / 1e6, here.channel().peer(),
                     networks->several() ? ", network " + session.network->name() : "");
}

void Server::State::serve(Session& session) {
  Conversation& here = session.conversation;
  ServedNetwork& network = *session.network;
  const std::string& address = here.channel().address();
  const std::string& title = here.title();
  std::uint64_t answered = 0, prepared_here = 0;
  try {
    here.channel().set_deadline(config.deadline);
    const bool hybrid = network.hybrid() != nullptr;
    protocol::answer_greeting(here.channel(), network.id(), protocol::Welcome::ready,
                              hybrid ? config.share_statistics : protocol::ShareStatistics::none);
    const auto count_answer = [&] {
      ++answered;
      ++inferences;
      ++network.inferences;
    };
    protocol::ServerOptions options;
    options.max_prepared = config.max_prepared;
    options.store = network.store();
    using Kind = protocol::StoreOwner::Kind;
    options.store_owner = here.client().name.empty() ? protocol::make_owner(Kind::address, address)
                                                     : protocol::make_owner(Kind::client, here.client().name);
    options.share_statistics = config.share_statistics;
    options.on_part = [&] { gate.make_way(); };
    options.on_image = [&] { return std::make_shared<PreparationGate::Live>(gate); };
    options.may_prepare = [&] {
      if (here.place_is_wanted()) {
        here.send_away("its place is needed for a client with an image; prepare later");
        return protocol::Permission{protocol::PrepareAnswer::not_counted, 0};  // nobody hears it
      }
      const protocol::Permission permission = may_prepare(session);
      if (permission.answer == protocol::PrepareAnswer::granted) {
        ++prepared;
        ++network.prepared;
        ++prepared_here;
        here.channel().set_queue_bytes(kSessionQueueBytes);
      }
      return permission;
    };
    options.on_progress = [&] { here.note_progress(); };
    options.on_probe = [&] { here.note_probe(); };
    options.on_store_failure = [&](const std::string& sentence) {
      log(LogLevel::warning, address, "{}: {}", title, sentence);
    };
    options.on_failed_check = [&] {
      log(LogLevel::warning, address,
          "{} deviated in an oblivious transfer; what it had prepared is gone, and counted", title);
    };
    options.on_inference = count_answer;
    if (hybrid) {
      protocol::serve_greeted(*network.hybrid(), here.channel(), options);
    } else {
      protocol::he::serve_greeted(*network.he(), here.channel(),
                                  {options.may_prepare, options.on_image, count_answer, options.on_progress});
    }
    log(LogLevel::info, address, "{}: ended after {}", title, account(session, answered, prepared_here));
  } catch (const std::bad_alloc&) {
    ++failed;
    ++network.failed;
    log(LogLevel::error, address, "{}: not enough memory; lower --max-sessions or --max-prepared", title);
  } catch (const std::exception& error) {
    const std::string reason = here.sent_away_because();
    if (reason.empty()) {
      ++failed;
      ++network.failed;
    }
    log(LogLevel::warning, address, "{}: {}", title,
        reason.empty() ? std::string(error.what())
                       : fmt::format("{} was sent away: {}", here.channel().peer(), reason));
  }
}

}  // namespace ap::app
