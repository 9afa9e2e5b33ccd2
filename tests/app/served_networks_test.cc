// Folders of packages: what is found in them, what is served while files come, change and go, and that sessions go on.
#include "app/served_networks.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "tests/app/running_server.h"
#include "tests/base/temporary_directory.h"
#include "tests/net/websocket/test_support.h"

namespace ap::app {
namespace {

using namespace std::chrono_literals;
using Look = ServedNetworks::Look;

class ServedNetworksTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const int channels : {2, 3, 4}) compiled().push_back(compile_small(channels));
  }
  static void TearDownTestSuite() { compiled().clear(); }
  static std::vector<Compiled>& compiled() {
    static std::vector<Compiled> all;
    return all;
  }
  static package::Package client(int which) {
    return package::parse(compiled()[static_cast<std::size_t>(which)].files.client, "client.apm");
  }
  static const package::Package& server(int which) {
    return compiled()[static_cast<std::size_t>(which)].package;
  }

  std::filesystem::path path(const std::string& name) const { return directory_.path() / name; }
  /// As a careful operator puts a file there: written under another name, then renamed.
  void put(const std::string& name, ByteView bytes) const {
    std::filesystem::create_directories(path(name).parent_path());
    const std::filesystem::path hidden = path(name).parent_path() / ".arriving";
    write_file(hidden, bytes);
    std::filesystem::rename(hidden, path(name));
  }
  void put(const std::string& name, int which) const {
    put(name, compiled()[static_cast<std::size_t>(which)].files.server);
  }
  ServerConfig logging() {
    ServerConfig config;
    config.log = [this](LogLevel, const std::string& sentence) {
      const std::lock_guard lock(mutex_);
      log_ += sentence + "\n";
    };
    config.look = 30ms;
    return config;
  }
  std::string log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  bool logged(const std::string& part) { return log().find(part) != std::string::npos; }
  void expect_logged(const std::string& part) {
    EXPECT_TRUE(logged(part)) << "no \"" << part << "\" in\n" << log();
  }
  template <typename Condition>
  static bool soon(const Condition& condition) {
    for (int i = 0; i < 1500 && !condition(); ++i) std::this_thread::sleep_for(20ms);
    return condition();
  }
  static std::vector<std::string> names(const ServedNetworks& networks) {
    std::vector<std::string> found;
    for (const auto& network : *networks.now()) found.push_back(network->name());
    return found;
  }

  TemporaryDirectory directory_;
  std::mutex mutex_;
  std::string log_;
};

using Names = std::vector<std::string>;

TEST_F(ServedNetworksTest, FindsPackagesInAFolderAndInFoldersInIt) {
  put("plain.apm", 0);
  put("nested/server.apm", 1);
  put("nested/client.apm", compiled()[1].files.client);
  put("nested/v2.apm", 2);
  put(".hidden.apm", 2);
  put("notes.txt", Bytes(3));
  const ServerConfig config = logging();
  const ServedNetworks networks({directory_.path()}, config);
  EXPECT_EQ(names(networks), (Names{"nested", "nested/v2", "plain"}));
  EXPECT_TRUE(networks.several());
  EXPECT_EQ(networks.find(server(1).id)->name(), "nested");
  EXPECT_EQ(networks.find(package::PackageId{}), nullptr);
}

TEST_F(ServedNetworksTest, AFolderWithoutAPackageAndAMissingOneAreRefused) {
  const ServerConfig config = logging();
  net::expect_error([&] { ServedNetworks({directory_.path()}, config); }, ErrorCode::input,
                    "there is no server's package that can be used in " + directory_.path().string());
  net::expect_error([&] { ServedNetworks({path("absent")}, config); }, ErrorCode::input,
                    "there is no such file or folder");
  put("client.apm", compiled()[0].files.client);
  net::expect_error([&] { ServedNetworks({path("client.apm")}, config); }, ErrorCode::input, "client");
}

TEST_F(ServedNetworksTest, ADamagedFileChangesNothingButTheLog) {
  put("a.apm", 0);
  put("b.apm", Bytes(100, 7));
  const ServerConfig config = logging();
  ServedNetworks networks({directory_.path()}, config);
  EXPECT_EQ(names(networks), Names{"a"});
  expect_logged("cannot serve " + path("b.apm").string());
  const auto before = networks.find(server(0).id);

  Bytes damaged = compiled()[0].files.server;
  damaged[damaged.size() / 2] ^= 1;
  put("a.apm", damaged);
  EXPECT_FALSE(networks.refresh(Look::at_once));
  EXPECT_EQ(networks.find(server(0).id), before);
  expect_logged("the package that was there before goes on");

  // Said once, and tried again when it changes.
  log_.clear();
  EXPECT_FALSE(networks.refresh(Look::at_once));
  EXPECT_EQ(log_, "");
  put("a.apm", 1);
  EXPECT_TRUE(networks.refresh(Look::at_once));
  EXPECT_EQ(networks.find(server(0).id), nullptr);
  EXPECT_NE(networks.find(server(1).id), nullptr);
  expect_logged("sessions of the one before go on");
}

TEST_F(ServedNetworksTest, AFileCountsWhenTwoLooksFindItTheSame) {
  put("a.apm", 0);
  const ServerConfig config = logging();
  ServedNetworks networks({directory_.path()}, config);
  put("b.apm", 1);
  EXPECT_FALSE(networks.refresh(Look::patient)) << "it may be in the middle of being written";
  EXPECT_TRUE(networks.refresh(Look::patient));
  EXPECT_EQ(names(networks), (Names{"a", "b"}));
  EXPECT_FALSE(networks.refresh(Look::patient));

  std::filesystem::rename(path("b.apm"), path("c.apm"));
  EXPECT_FALSE(networks.refresh(Look::patient));
  EXPECT_TRUE(networks.refresh(Look::patient));
  EXPECT_EQ(names(networks), (Names{"a", "c"}));

  std::filesystem::remove(path("a.apm"));
  networks.refresh(Look::patient);
  EXPECT_TRUE(networks.refresh(Look::patient));
  EXPECT_EQ(names(networks), Names{"c"});
  expect_logged("a is gone from " + path("a.apm").string());
}

TEST_F(ServedNetworksTest, ThePackageOfAFileByItselfIsReadAgainOnlyWhenAsked) {
  put("server.apm", 0);
  const ServerConfig config = logging();
  ServedNetworks networks({path("server.apm")}, config);
  EXPECT_FALSE(networks.watches());
  EXPECT_FALSE(networks.several());
  put("server.apm", 1);
  networks.refresh(Look::patient);
  EXPECT_FALSE(networks.refresh(Look::patient));
  EXPECT_TRUE(networks.refresh(Look::at_once));
  EXPECT_NE(networks.find(server(1).id), nullptr);
}

TEST_F(ServedNetworksTest, TheSamePackageTwiceIsServedOnce) {
  put("a.apm", 0);
  put("b.apm", 0);
  const ServerConfig config = logging();
  const ServedNetworks networks({directory_.path()}, config);
  EXPECT_EQ(names(networks), Names{"a"});
  expect_logged("the same package as " + path("a.apm").string());
}

TEST_F(ServedNetworksTest, ACeilingOnMemoryHoldsForAllTogether) {
  put("a.apm", 0);
  ServerConfig config = logging();
  const auto one = ServedNetworks({directory_.path()}, config).now()->front();
  config.max_memory_bytes = one->model_bytes() + one->session_bytes() + 1'000'000;
  ServedNetworks networks({directory_.path()}, config);
  put("b.apm", 1);
  EXPECT_FALSE(networks.refresh(Look::at_once));
  EXPECT_EQ(names(networks), Names{"a"});
  expect_logged("cannot serve " + path("b.apm").string() + ": a memory ceiling of");
}

TEST_F(ServedNetworksTest, EachHasALedgerAndAStoreOfItsOwn) {
  put("a.apm", 0);
  put("b/server.apm", 1);
  ServerConfig config = logging();
  config.ledger_beside_packages = true;
  config.max_inferences = 5;
  config.store = path("store");
  const ServedNetworks networks({directory_.path()}, config);
  for (const int which : {0, 1}) {
    ServedNetwork& network = *networks.find(server(which).id);
    for (int i = 0; i <= which; ++i) network.count(anonymous_client());
    EXPECT_EQ(network.standing("").remaining(), static_cast<std::uint64_t>(4 - which));
    ASSERT_NE(network.store(), nullptr);
    EXPECT_EQ(network.store()->name(), path("store/" + package::to_hex(server(which).id)).string());
  }
  EXPECT_TRUE(std::filesystem::exists(path("a.apm.ledger")));
  EXPECT_TRUE(std::filesystem::exists(path("b/server.apm.ledger")));
  EXPECT_EQ(std::filesystem::status(path("store")).permissions() & std::filesystem::perms::group_all,
            std::filesystem::perms::none);
}

TEST_F(ServedNetworksTest, OneServerAnswersClientsOfSeveralNetworks) {
  put("a.apm", 0);
  put("b.apm", 1);
  RunningServer running({directory_.path()}, logging());
  std::vector<std::thread> clients;
  for (const int which : {0, 1, 0, 1})
    clients.emplace_back([&, which] { running.expect_serving(client(which), server(which)); });
  for (std::thread& thread : clients) thread.join();
  EXPECT_EQ(running->inferences(), 4u);
  EXPECT_EQ(running->networks().size(), 2u);

  // A stranger learns of no network; the operator learns what it asked for.
  const auto channel = running.connect();
  net::expect_error([&] { run_images(client(2), *channel, small_inputs(server(2), 1)); }, ErrorCode::peer,
                    "the server serves several networks, and none is that of this client.apm (package " +
                        package::to_hex(server(2).id) + ")");
  EXPECT_TRUE(soon([&] { return logged("it asks for package " + package::to_hex(server(2).id)); }));
}

TEST_F(ServedNetworksTest, ARefusalNamesNoNetwork) {
  put("a.apm", 0);
  put("b.apm", 1);
  RunningServer running({directory_.path()}, logging());
  const auto channel = running.connect();
  ByteWriter hello;
  hello.u16(protocol::kProtocolVersion);
  hello.raw(server(2).id);
  channel->send(protocol::kHello, hello.bytes());
  const Bytes welcome = channel->receive_exactly(protocol::kWelcome, 1 + 2 + 32);
  EXPECT_EQ(welcome[0], static_cast<std::uint8_t>(protocol::Welcome::other_package));
  EXPECT_EQ(Bytes(welcome.begin() + 3, welcome.end()), Bytes(32));
}

TEST_F(ServedNetworksTest, PackagesComeAndGoWhileSessionsGoOn) {
  put("a.apm", 0);
  RunningServer running({directory_.path()}, logging());
  const package::Package old_client = client(0);
  const protocol::Model model(old_client.network, old_client.plan);
  const auto channel = running.connect();
  protocol::ClientSession session(model, old_client.id, *channel);
  session.prepare();

  put("b.apm", 1);
  ASSERT_TRUE(soon([&] { return running->networks().size() == 2; })) << log();
  running.expect_serving(client(1), server(1));

  put("a.apm", 2);  // in the place of the one that the session is about
  ASSERT_TRUE(soon([&] { return running->networks().front().id == server(2).id; })) << log();
  running.expect_serving(client(2), server(2));
  net::expect_error(
      [&] {
        const auto other = running.connect();
        protocol::ClientSession refused(model, old_client.id, *other);
      },
      ErrorCode::peer, "none is that of this client.apm");

  std::filesystem::remove(path("a.apm"));
  ASSERT_TRUE(soon([&] { return running->networks().size() == 1; })) << log();
  const std::vector<Image> images = small_inputs(server(0), 3);
  std::vector<Logits> logits;
  for (const Image& image : images) logits.push_back(session.infer(image));
  EXPECT_EQ(compare_with_clear(server(0).network, images, logits).same_class, 3u);
  session.finish();
}

TEST_F(ServedNetworksTest, ADamagedFileDisturbsNoClient) {
  put("a.apm", 0);
  RunningServer running({directory_.path()}, logging());
  put("a.apm", Bytes(1000, 1));
  ASSERT_TRUE(soon([&] { return logged("cannot serve"); }));
  put("b.apm", Bytes{});
  running->reload();
  ASSERT_TRUE(soon([&] { return logged("cannot serve " + path("b.apm").string()); }));
  running.expect_serving(client(0), server(0));
}

TEST_F(ServedNetworksTest, FiguresAreKeptByNetwork) {
  put("a.apm", 0);
  put("b.apm", 1);
  const ServerConfig config = logging();
  const ServedNetworks networks({directory_.path()}, config);
  ServerFigures figures;
  for (const auto& network : *networks.now()) {
    network->inferences = network->name() == "b" ? 7 : 0;
    figures.networks.push_back(network->figures());
  }
  figures.networks[0].name = "a \"quoted\" \\ name\n";
  const std::string text = metrics_text(figures);
  EXPECT_NE(text.find("autoprivacy_network_inferences_total{network=\"b\",package=\"" +
                      package::to_hex(server(1).id) + "\"} 7\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("{network=\"a \\\"quoted\\\" \\\\ name\\n\",package="), std::string::npos) << text;
  EXPECT_EQ(status_page("/readyz", {}).text, "no network is served\n");
}

}  // namespace
}  // namespace ap::app
