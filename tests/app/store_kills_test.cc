// kill -9 of the client's and the server's process at random moments, again and again, around real stores and
// a real ledger: what survives is used after the restart and right, nothing is used twice, and nothing
// granted is forgotten. Both are this program, started again; each writes down what it does before it does
// it, where no kill can take it back.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "app/local_server.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/files.h"
#include "tests/app/running_server.h"
#include "tests/base/temporary_directory.h"
#include "tests/faults/tiny_network.h"

namespace ap::app {
namespace {

using protocol::ClientSession;
using protocol::PreprocessingId;
using protocol::PreprocessingStore;

constexpr int kKills = 500, kFewKills = 15;
constexpr std::size_t kStoredAtATime = 3;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

ServerConfig with_files(const std::filesystem::path& directory) {
  ServerConfig config;
  config.store = directory / "server";
  config.store_options.max_inferences = 1000;
  config.store_options.max_owner_inferences = 1000;
  config.ledger = directory / "ledger";
  return config;
}

/// One line of what has happened, in one write.
void note(const std::filesystem::path& directory, char what, const PreprocessingId& id) {
  const FileDescriptor file(
      ::open((directory / "log").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  const std::string line = std::string(1, what) + " " + protocol::to_hex(id) + "\n";
  ASSERT_EQ(::write(file.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
}

std::set<PreprocessingId> ids_of(const std::filesystem::path& directory) {
  PreprocessingStore store(directory, Party::client,
                           package::load(directory.parent_path() / "client.apm", Party::client).id);
  const auto ids = store.ids();
  return {ids.begin(), ids.end()};
}

/// Uses what an earlier process stored, then stores more.
TEST(StoreKillsVictim, Client) {
  const std::filesystem::path directory = variable("AP_KILLS_DIRECTORY");
  if (directory.empty()) GTEST_SKIP() << "runs as a child of StoreKills";
  const package::Package package = package::load(directory / "client.apm", Party::client);
  const package::Package clear = package::load(directory / "server.apm", Party::server);
  const protocol::Model model(package.network, package.plan);
  PreprocessingStore store(directory / "client", Party::client, package.id);
  const auto channel = net::connect("wss://" + variable("AP_KILLS_ADDRESS"),
                                    net::TlsTrust::pinned_certificate(variable("AP_KILLS_FINGERPRINT")));
  ClientSession session(model, package.id, *channel);
  std::int32_t number = 0;
  for (const PreprocessingId& id : store.ids()) {
    note(directory, 'b', id);  // begins
    if (session.use(store, id) != ClientSession::Use::ready) {
      note(directory, 'x', id);
      continue;
    }
    note(directory, 'u', id);  // both halves are out of the stores, and go into an inference
    const std::vector<std::int32_t> image(4, ++number);
    const auto logits = session.infer(image);
    const auto expected = nn::integer_logits(clear.network, image);
    bool right = true;
    for (std::size_t i = 0; i < expected.size(); ++i) right = right && std::abs(logits[i] - expected[i]) <= 2;
    note(directory, right ? 'r' : 'w', id);
  }
  for (std::size_t i = 0; i < kStoredAtATime; ++i) note(directory, 's', session.store(store));
  session.finish();
  channel->close();
}

TEST(StoreKillsVictim, Server) {
  const std::filesystem::path directory = variable("AP_KILLS_DIRECTORY");
  if (directory.empty()) GTEST_SKIP() << "runs as a child of StoreKills";
  Server server(package::load(directory / "server.apm", Party::server), with_files(directory));
  const std::string report = server.address() + " " + server.fingerprint();
  write_file(directory / "address", {reinterpret_cast<const std::uint8_t*>(report.data()), report.size()});
  server.run();
}

class StoreKills : public testing::Test {
 protected:
  void SetUp() override {
    const package::Package package = faults::tiny_package(false);
    const package::Pair files = package::make_packages(package);
    write_file(path() / "server.apm", files.server);
    write_file(path() / "client.apm", files.client);
  }
  void TearDown() override {
    if (server_ > 0) kill(server_);
  }
  const std::filesystem::path& path() const { return directory_.path(); }

  pid_t start(const char* what) {
    const std::string program = this_program().string(), filter = std::string("--gtest_filter=") + what;
    const pid_t parent = ::getpid(), child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, 1);
    ::dup2(nowhere, 2);
    ::unsetenv("GTEST_OUTPUT");  // what it reports is for nobody but its parent
    ::setenv("AP_KILLS_DIRECTORY", path().c_str(), 1);
    ::setenv("AP_KILLS_ADDRESS", address_.c_str(), 1);
    ::setenv("AP_KILLS_FINGERPRINT", fingerprint_.c_str(), 1);
    ::execl(program.c_str(), program.c_str(), filter.c_str(), nullptr);
    ::_exit(127);
  }
  static bool kill(pid_t& child) {
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    child = -1;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }
  void start_server() {
    std::filesystem::remove(path() / "address");
    server_ = start("StoreKillsVictim.Server");
    for (int i = 0; i < 6000 && !std::filesystem::exists(path() / "address"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::ifstream(path() / "address") >> address_ >> fingerprint_;
    ASSERT_FALSE(fingerprint_.empty());
  }
  /// Of halves before they are used, as from a backup.
  void copy_halves() {
    std::filesystem::create_directory(path() / "copies");
    std::filesystem::permissions(path() / "copies", std::filesystem::perms::owner_all);
    if (!std::filesystem::exists(path() / "client")) return;
    for (const auto& entry : std::filesystem::directory_iterator(path() / "client")) {
      if (entry.path().extension() == ".material")
        std::filesystem::copy(entry.path(), path() / "copies" / entry.path().filename(),
                              std::filesystem::copy_options::skip_existing);
    }
  }
  std::uintmax_t log_bytes() const {
    std::error_code none;
    const std::uintmax_t bytes = std::filesystem::file_size(path() / "log", none);
    return none ? 0 : bytes;
  }
  std::map<char, std::multiset<std::string>> log() const {
    std::map<char, std::multiset<std::string>> lines;
    std::ifstream in(path() / "log");
    char what;
    std::string id;
    while (in >> what >> id) lines[what].insert(id);
    return lines;
  }

  TemporaryDirectory directory_;
  pid_t server_ = -1;
  std::string address_, fingerprint_;
};

TEST_F(StoreKills, NothingIsUsedTwice) {
  const int kills = std::getenv("AP_SLOW") ? kKills : kFewKills;
  std::mt19937 random(8);
  int clients_killed = 0, servers_killed = 0, in_time = 0;
  double typical_ms = 300;  // that a client takes; the moment of a kill lies anywhere in it
  while (clients_killed + servers_killed < kills) {
    if (server_ < 0) start_server();
    copy_halves();
    const auto begin = std::chrono::steady_clock::now();
    pid_t client = start("StoreKillsVictim.Client");
    int status = 0;
    bool ended = false;
    const auto waited = [&] {
      return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    };
    const auto wait = [&](const auto& enough) {
      while (!ended && !enough()) {
        ended = ::waitpid(client, &status, WNOHANG) == client;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    };
    // Anywhere in its life, or among the stores' operations, or not at all, so that there is something to
    // use.
    const auto share = static_cast<double>(random() % 1000) / 1000;
    switch (random() % 4) {
      case 0:
        wait([] { return false; });
        break;
      case 1:
        wait([&] { return waited() > typical_ms * share; });
        break;
      default: {
        const std::uintmax_t before = log_bytes();
        wait([&] { return log_bytes() > before; });
        const double from = waited();
        wait([&] { return waited() > from + typical_ms / 2 * share; });
      }
    }
    if (ended) {
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "a client whom nobody disturbed";
      typical_ms = 0.7 * typical_ms + 0.3 * waited();
      ++in_time;
      continue;
    }
    if (random() % 2 == 0) {
      clients_killed += kill(client) ? 1 : 0;
    } else {
      servers_killed += kill(server_) ? 1 : 0;
      kill(client);  // it has lost its server, and would end by itself
    }
  }
  const auto seen = log();
  const auto of = [&](char what) {
    const auto found = seen.find(what);
    return found == seen.end() ? std::multiset<std::string>() : found->second;
  };
  // Who dies between the note that it begins and the claim leaves the half to the next one, which begins it
  // again.
  for (const char what : {'u', 's'}) {
    for (const std::string& id : of(what)) EXPECT_EQ(of(what).count(id), 1u) << what << " " << id;
  }
  EXPECT_TRUE(of('w').empty());
  const std::set<PreprocessingId> left = ids_of(path() / "client");
  for (const PreprocessingId& id : left) EXPECT_EQ(of('u').count(protocol::to_hex(id)), 0u);

  // The server gives none of its halves out again to a client that kept copies of its own.
  if (server_ < 0) start_server();
  const package::Package package = package::load(path() / "client.apm", Party::client);
  const protocol::Model model(package.network, package.plan);
  std::size_t refused = 0;
  {
    PreprocessingStore copies(path() / "copies", Party::client, package.id);
    const auto channel = net::connect("wss://" + address_, net::TlsTrust::pinned_certificate(fingerprint_));
    ClientSession session(model, package.id, *channel);
    for (const std::string& hex : of('u')) {
      PreprocessingId id{};
      for (std::size_t i = 0; i < id.size(); ++i)
        id[i] = static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
      EXPECT_EQ(session.use(copies, id), ClientSession::Use::unknown) << hex;
      ++refused;
    }
    session.finish();
    channel->close();
  }
  // What is left can still be used.
  pid_t last = start("StoreKillsVictim.Client");
  int status = 0;
  ASSERT_EQ(::waitpid(last, &status, 0), last);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(log()['w'].empty());
  kill(server_);
  const protocol::ServerModel served(package::load(path() / "server.apm", Party::server));
  Ledger ledger(path() / "ledger", {served.id(), package.plan.privacy.inferences, 0});
  EXPECT_GE(ledger.standing("").prepared, log()['s'].size());
  for (const char* side : {"client", "server"}) {
    PreprocessingStore(path() / side, std::string(side) == "client" ? Party::client : Party::server,
                       package.id);
    for (const auto& entry : std::filesystem::directory_iterator(path() / side)) {
      const std::string name = entry.path().filename().string();
      EXPECT_TRUE(name == "lock" || name.ends_with(".material")) << name;
    }
  }
  EXPECT_GT(of('u').size(), static_cast<std::size_t>(kills) / 5);
  std::printf(
      "%d clients and %d servers killed, %d sessions ended before; %zu inferences stored, %zu used after a "
      "restart "
      "(%zu right, none wrong, the others cut off), %zu begun and lost; %zu copies of used halves refused, "
      "%" PRIu64 " counted\n",
      clients_killed, servers_killed, in_time, log()['s'].size(), log()['u'].size(), log()['r'].size(),
      log()['b'].size() - log()['u'].size(), refused, ledger.standing("").prepared);
}

}  // namespace
}  // namespace ap::app
