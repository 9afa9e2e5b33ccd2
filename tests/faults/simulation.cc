#include "tests/faults/simulation.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <optional>

#include "app/ledger.h"
#include "base/error.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/messages.h"
#include "protocol/store/preprocessing_index.h"
#include "tests/faults/documented_errors.h"
#include "tests/faults/ledger_disk.h"
#include "tests/faults/network.h"
#include "tests/faults/witness.h"

namespace ap::faults {
namespace {

using namespace protocol;

constexpr std::uint64_t kDay = 86'400'000;
constexpr std::uint64_t kPromised = 60;                                              ///< inferences
constexpr std::size_t kServerHalves = 4, kClientHalves = 4, kHalvesOfOneClient = 3;  ///< limits of the stores
constexpr std::uint64_t kAhead = 16;  ///< that a ledger writes down before they are prepared

/// What a seed decides before anything runs.
struct Plan {
  explicit Plan(Random& random)
      : activation(random.below(64) == 0),
        clients(1 + random.below(2)),
        servers(1 + random.below(3) / 2),
        episodes(2 + random.below(activation ? 2 : 5)),
        known_clients(random.below(2) == 0),
        kills(random.chance(0.5)),
        power_cuts(random.chance(0.4)),
        link_faults(random.chance(0.5)),
        content(link_faults && random.chance(0.25)),
        disk_faults(random.chance(0.25)),
        long_pauses(random.chance(0.1)),
        storing(random.chance(0.2)),
        twins(random.chance(0.25)) {}
  bool activation;
  std::uint64_t clients, servers, episodes;
  bool known_clients, kills, power_cuts, link_faults, content, disk_faults, long_pauses;
  bool storing;  ///< most of what clients do is to store
  bool twins;    ///< two programs of each client at a time, on one store
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, const Networks& networks, const Lies& lies)
      : world_(seed),
        plan_(world_.random),
        served_(plan_.activation ? networks.activation : networks.linear),
        witness_(served_) {
    put_sqlite_on_simulated_disks();
    witness_.content_changes = plan_.content;
    machines_.emplace_back(world_, "server");
    for (std::uint64_t i = 0; i < plan_.clients; ++i) machines_.emplace_back(world_, "client");
    for (Machine& machine : machines_) machine.disk.lies = lies;
    clients_.resize(plan_.clients);
    servers_.resize(plan_.servers);
    world_.on_death = [this](Process& process) { die(process); };
  }

  Outcome run() {
    try {
      for (std::uint64_t i = 0; i < plan_.episodes; ++i) episode();
      settle();
    } catch (const std::exception& error) {
      witness_.violated(error.what());
    }
    Outcome outcome;
    outcome.violations = witness_.violations;
    outcome.counts = counts_;
    outcome.counts["inferences"] += witness_.answered;
    outcome.counts["stored halves used by a server"] += witness_.used_by_server.size();
    for (const Machine& machine : machines_)
      outcome.counts["failed disk operations"] += machine.disk.failures;
    outcome.trace = witness_.trace ^ world_.now_ms;
    // A ledger that is closed writes; its program has ended.
    for (Server& server : servers_) {
      if (server.process) server.process->dead = true;
    }
    return outcome;
  }

 private:
  struct Server {
    Process* process = nullptr;
    std::unique_ptr<PreprocessingStore> store;
    std::unique_ptr<app::Ledger> ledger;
    bool starting = false;
    bool up() const { return process && !process->dead && store && ledger; }
  };
  struct Client {
    std::set<Id> kept;       ///< both halves are durable, as the session said
    std::set<Id> attempted;  ///< the client began to use them
    app::Client identity;
  };

  Process& new_process(Machine& machine) {
    Process& process = processes_.emplace_back();
    process.name = machine.name;
    process.machine = &machine;
    return process;
  }

  void die(Process& process) {
    if (!process.by_power_cut) {
      ++counts_["kills"];
      return;
    }
    ++counts_["power cuts"];
    for (Process& other : processes_) {
      if (other.machine != process.machine || other.dead) continue;
      other.dead = other.by_power_cut = true;
    }
    process.machine->disk.cut_power();
  }

  /// Somewhere within what a session of its does.
  void doom(Process& process) {
    process.dies_at = process.steps + 1 + world_.random.below(plan_.activation ? 400 : 250);
    process.by_power_cut = plan_.power_cuts && (!plan_.kills || world_.random.chance(0.5));
  }

  /// An error that a person would see.
  void complained(const Process& process, ErrorCode code, const std::string& sentence) {
    if (std::getenv("AP_FAULT_SHOW"))
      fmt::print("{}{}: {}\n", process.name, process.dead ? " (dead)" : "", sentence);
    if (process.dead) return;
    ++counts_[code == ErrorCode::peer ? "errors: peer" : "errors: other"];
    const Permitted permitted{plan_.content, any_disk_failure()};
    if (const std::string why = why_not_documented(code, sentence, permitted); !why.empty())
      witness_.violated(fmt::format("{}: {} ({})", process.name, sentence, why));
  }
  bool any_disk_failure() const {
    return std::ranges::any_of(machines_, [](const Machine& m) { return m.disk.failures > 0; });
  }

  StoreOptions store_options(std::size_t most) {
    StoreOptions options;
    options.max_inferences = most;
    options.max_owner_inferences = kHalvesOfOneClient;
    options.clock = [this] { return world_seconds(world_); };
    return options;
  }

  void boot(Server& server) {
    if (server.up()) return;
    server.store.reset();
    server.ledger.reset();
    server.starting = true;
    Process* const process = server.process = &new_process(machines_.front());
    world_.start(*process, [this, &server, process] {
      try {
        server.store = std::make_unique<PreprocessingStore>(process->machine->disk.open("store", *process),
                                                            Party::server, served_.package.id,
                                                            store_options(kServerHalves));
        server.ledger = std::make_unique<app::Ledger>(ledger_path(), allowance());
      } catch (const Error& error) {
        complained(*process, error.code(), error.what());
      }
      server.starting = false;
    });
  }
  app::Allowance allowance() const { return {served_.package.id, kPromised, 0}; }

  void episode() {
    faulty(plan_.disk_faults);
    if (plan_.long_pauses && world_.random.below(3) == 0) {
      world_.now_ms += (world_.random.below(2) == 0 ? 8 : 31) * kDay;
      aged_ = true;
    }
    for (Server& server : servers_) boot(server);
    if (plan_.kills || plan_.power_cuts) {
      for (Server& server : servers_) {
        if (world_.random.below(3) == 0) doom(*server.process);
      }
    }
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      start_client(i);
      if (plan_.twins) start_client(i);
    }
    world_.run();
    expect_within_limits();
    ++counts_["episodes"];
  }

  void faulty(bool yes) {
    for (Machine& machine : machines_) {
      machine.disk.faults = {};
      if (!yes || world_.random.below(2) == 0) continue;
      const double p = 0.02;
      switch (world_.random.below(4)) {
        case 0:
          machine.disk.faults.no_space = 4 * p;
          break;
        case 1:
          machine.disk.faults.sync = 2 * p;
          break;
        case 2:
          machine.disk.faults = {p, p, p, p, p};
          break;
        default:
          machine.disk.faults.rename = machine.disk.faults.read = p;
      }
    }
  }

  void start_client(std::size_t index) {
    Process& process = new_process(machines_[1 + index]);
    if ((plan_.kills || plan_.power_cuts) && world_.random.below(3) == 0) doom(process);
    world_.start(process, [this, index, &process] {
      try {
        PreprocessingStore store(process.machine->disk.open("store", process), Party::client,
                                 served_.package.id, store_options(kClientHalves));
        for (std::uint64_t i = 1 + world_.random.below(2); i > 0; --i) talk(index, process, store, {});
      } catch (const Error& error) {
        complained(process, error.code(), error.what());
      }
    });
  }

  LinkFault draw_link_fault() {
    LinkFault fault;
    if (!plan_.link_faults || world_.random.below(3) == 0) return fault;
    const auto kinds =
        static_cast<std::uint64_t>(plan_.content ? LinkFault::Kind::wrong_type : LinkFault::Kind::late);
    fault.kind = static_cast<LinkFault::Kind>(1 + world_.random.below(kinds));
    fault.message = world_.random.below(world_.random.below(2) == 0 ? 12 : 60);
    return fault;
  }

  /// One session of a client: what it does comes from the seed, or is to use all that is stored.
  void talk(std::size_t index, Process& process, PreprocessingStore& store, std::optional<std::size_t> uses) {
    Server& server = servers_[world_.random.below(servers_.size())];
    world_.wait([&] { return server.starting && !server.process->dead ? World::kNever : 0; });
    if (!server.up()) return;
    ++counts_["sessions"];
    auto seen = std::make_shared<Witness::Session>();
    auto ends = connect(world_, process, *server.process, uses ? LinkFault{} : draw_link_fault(),
                        [this, seen](bool from_client, net::MessageType type, ByteView payload) {
                          witness_.saw(*seen, from_client, type, payload);
                        });
    const std::shared_ptr<net::Channel> channel = std::move(ends.first), theirs = std::move(ends.second);
    world_.start(*server.process, [this, index, &server, theirs] { serve(index, server, *theirs); });
    ClientSession session(served_.client, served_.package.id, *channel);
    const std::uint64_t actions = uses ? 2 * *uses : 1 + world_.random.below(5);
    for (std::uint64_t i = 0; i < actions; ++i) {
      const std::uint64_t drawn = world_.random.below(4);
      switch (uses ? 3 : plan_.storing && drawn == 2 ? 1 : drawn) {
        case 0:
          if (session.prepared() < 4) session.prepare();
          break;
        case 1:
          clients_[index].kept.insert(session.store(store));
          ++counts_["stored"];
          break;
        case 2:
          infer(session, *seen);
          break;
        default:
          if (session.prepared() < 4 && take_stored(index, session, store)) infer(session, *seen);
      }
    }
    session.finish();
    channel->close();
  }

  /// As app/client.cc does.
  bool take_stored(std::size_t index, ClientSession& session, PreprocessingStore& store) {
    for (const Id& id : store.ids()) {
      clients_[index].attempted.insert(id);
      try {
        const auto use = session.use(store, id);
        if (use == ClientSession::Use::ready) return true;
      } catch (const Error& error) {
        if (error.code() != ErrorCode::input || !session.whole()) throw;
        complained(*World::running(), error.code(), error.what());
      }
    }
    return false;
  }

  void infer(ClientSession& session, Witness::Session& seen) {
    const std::vector<std::int32_t> image = served_.image(++images_);
    seen.image = image;
    const auto logits = session.infer(image);
    if (plan_.content) return;
    const auto clear = nn::integer_logits(served_.package.network, image);
    // A unit in an accumulator; behind an activation a step of it, times weights.
    const std::int64_t tolerance = plan_.activation ? 400 : 2;
    for (std::size_t i = 0; i < clear.size(); ++i) {
      if (std::abs(logits[i] - clear[i]) > tolerance) {
        witness_.violated(fmt::format("a wrong answer: {} for {}", logits[i], clear[i]));
        return;
      }
    }
  }

  void serve(std::size_t index, Server& server, net::Channel& channel) {
    Process& process = *server.process;
    const app::Client client = plan_.known_clients ? known_client(index) : app::anonymous_client();
    const auto log = [&](const std::string& sentence) { complained(process, ErrorCode::input, sentence); };
    ServerOptions options;
    options.store = server.store.get();
    using Kind = protocol::StoreOwner::Kind;
    options.store_owner = client.name.empty() ? protocol::make_owner(Kind::address, channel.peer())
                                              : protocol::make_owner(Kind::client, client.name);
    options.on_store_failure = log;
    options.may_prepare = [&]() -> Permission {
      try {
        return server.ledger->count(client);
      } catch (const Error& error) {
        log(error.what());
        return {PrepareAnswer::not_counted, 0};
      }
    };
    try {
      serve_session(served_.server, channel, options);
    } catch (const Error& error) {
      complained(process, error.code(), error.what());
    }
    channel.close();
  }
  static app::Client known_client(std::size_t index) {
    app::Client client;
    client.name = index == 0 ? "alice" : "bob";
    return client;
  }

  /// Nothing fails any more: all is opened again, what is left is used, and what must hold is looked at.
  void settle() {
    faulty(false);
    plan_.link_faults = false;
    for (Process& process : processes_) process.dies_at = 0;
    for (Server& server : servers_) {
      if (server.process && !server.process->dead) end(server);
      boot(server);
    }
    world_.run();
    expect_counted();
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      Process& process = new_process(machines_[1 + i]);
      world_.start(process, [this, i, &process] {
        try {
          PreprocessingStore store(process.machine->disk.open("store", process), Party::client,
                                   served_.package.id, store_options(kClientHalves));
          expect_tidy(machines_[1 + i], "the client");
          const std::vector<Id> ids = store.ids();
          expect_kept(clients_[i], ids);
          talk(i, process, store, ids.size());
        } catch (const Error& error) {
          complained(process, error.code(), error.what());
        }
      });
    }
    expect_tidy(machines_.front(), "the server");
    world_.run();
    for (std::size_t i = 0; i < machines_.size(); ++i)
      expect_gone(machines_[i], i == 0 ? witness_.used_by_server : witness_.used_by_client);
  }

  /// A program that is told to end closes its ledger.
  void end(Server& server) {
    world_.start(*server.process, [&server] { server.ledger.reset(); });
    world_.run();
    server.process->dead = true;
  }

  void expect_counted() {
    for (Server& server : servers_) {
      if (!server.up()) {
        if (!any_disk_failure()) witness_.violated("a server does not start");
        continue;
      }
      std::uint64_t counted = 0;
      world_.start(*server.process, [&] { counted = server.ledger->standing("").prepared; });
      world_.run();
      if (counted < witness_.granted)
        witness_.violated(
            fmt::format("{} inferences were granted, {} are counted", witness_.granted, counted));
      if (counted > kPromised) witness_.violated("more inferences are counted than may be");
      const std::uint64_t deaths = processes_.size();
      if (counted > witness_.granted + kAhead * (deaths + 1)) witness_.violated("far too many are counted");
    }
  }

  void expect_tidy(Machine& machine, const char* whose) {
    for (const auto& [name, file] : machine.disk.folder("store").now) {
      if (name != "lock" && !is_preprocessing_name(name, kReadyEnding) && machine.disk.failures == 0)
        witness_.violated(fmt::format("{} left {} behind", whose, name));
    }
  }

  void expect_within_limits() {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      const auto halves = std::ranges::count_if(machines_[i].disk.folder("store").now, [](const auto& file) {
        return is_preprocessing_name(file.first, kReadyEnding);
      });
      const std::size_t most = i == 0 ? kServerHalves : kClientHalves;
      if (static_cast<std::size_t>(halves) > most)
        witness_.violated(fmt::format("{} halves where {} may be", halves, most));
    }
  }

  /// What both said is kept, and nobody has touched since.
  void expect_kept(const Client& client, const std::vector<Id>& ids) {
    if (any_disk_failure() || aged_ || plan_.content) return;
    const auto& at_server = machines_.front().disk.folder("store").now;
    for (const Id& id : client.kept) {
      if (client.attempted.contains(id)) continue;
      if (std::ranges::find(ids, id) == ids.end()) witness_.violated("the client lost " + to_hex(id));
      if (!at_server.contains(to_hex(id) + std::string(kReadyEnding)))
        witness_.violated("the server lost " + to_hex(id));
    }
  }

  void expect_gone(Machine& machine, const std::set<Id>& used) {
    if (machine.disk.failures > 0) return;
    for (const Id& id : used) {
      if (machine.disk.folder("store").now.contains(to_hex(id) + std::string(kReadyEnding)))
        witness_.violated(machine.name + " used " + to_hex(id) + " and still has it");
    }
  }

  World world_;
  Plan plan_;
  const Served& served_;
  Witness witness_;
  std::deque<Machine> machines_;  ///< the server's, then the clients'
  std::deque<Process> processes_;
  std::vector<Client> clients_;
  std::deque<Server> servers_;
  std::uint64_t images_ = 0;
  bool aged_ = false;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace

Outcome simulate(std::uint64_t seed, const Networks& networks, const Lies& lies) {
  return Simulation(seed, networks, lies).run();
}

}  // namespace ap::faults
