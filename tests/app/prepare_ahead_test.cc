// Clients that prepare while they have nothing else to do, over real connections: what ends up in the stores, and that they
// make way.
#include "app/prepare_ahead.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "tests/app/running_server.h"
#include "tests/base/temporary_directory.h"

namespace ap::app {
namespace {

using namespace std::chrono_literals;

class PrepareAheadTest : public testing::Test {
 protected:
  ServerConfig with_store(std::size_t sessions) const {
    ServerConfig config;
    config.max_sessions = sessions;
    config.store = directory_.path() / "server";
    config.store_options.max_owner_inferences = 64;
    return config;
  }
  AheadOptions options(RunningServer& server, std::size_t count) {
    AheadOptions options;
    options.connect.url = "wss://" + server->address();
    options.connect.trust = server->fingerprint();
    options.count = count;
    options.look = 20ms;
    options.first_pause = 50ms;
    options.longest_pause = 100ms;
    options.notice = [this](const std::string& sentence) {
      const std::lock_guard lock(mutex_);
      notices_.push_back(sentence);
    };
    return options;
  }
  std::size_t stored() { return store_->ids().size(); }
  bool soon(const std::function<bool()>& condition) const {
    for (int i = 0; i < 3000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  }

  const Compiled compiled_ = compile_small();
  const package::Package client_ = package::parse(compiled_.files.client, "client.apm");
  const TemporaryDirectory directory_;
  const std::unique_ptr<protocol::PreprocessingStore> store_ =
      open_client_store(directory_.path() / "client", client_.id, {});
  std::mutex mutex_;
  std::vector<std::string> notices_;
};

/// Runs on a thread of its own for as long as it exists.
class Running {
 public:
  explicit Running(PrepareAhead& preparing) : preparing_(preparing), thread_([&] { preparing_.run(); }) {}
  ~Running() {
    preparing_.stop();
    thread_.join();
  }

 private:
  PrepareAhead& preparing_;
  std::thread thread_;
};

TEST_F(PrepareAheadTest, KeepsTheStoreFilled) {
  RunningServer server(compiled_.package, with_store(4));
  PrepareAhead preparing(client_, *store_, options(server, 3));
  const Running running(preparing);
  ASSERT_TRUE(soon([&] { return stored() == 3; }));
  const std::vector<Image> images = small_inputs(compiled_.package, 2);
  const RunResult result = run_images(client_, *server.connect(), images, {.store = store_.get()});
  EXPECT_EQ(result.mean.from_store, 2u);
  EXPECT_EQ(compare_with_clear(compiled_.package.network, images, result.logits).same_class, 2u);
  ASSERT_TRUE(soon([&] { return preparing.prepared() == 5; }));
  server.expect_no_sessions();  // its place is free while there is nothing to do
  EXPECT_EQ(stored(), 3u);
}

TEST_F(PrepareAheadTest, MakesWayForAClientWithAnImage) {
  RunningServer server(compiled_.package, with_store(1));
  PrepareAhead preparing(client_, *store_, options(server, 40));
  const Running running(preparing);
  ASSERT_TRUE(soon([&] { return preparing.prepared() > 0; }));
  SessionOptions patient;
  patient.patience = 60s;
  const std::vector<Image> images = small_inputs(compiled_.package, 1);
  const auto channel = server.connect_to_wait();
  const RunResult result = run_images(client_, *channel, images, patient);
  EXPECT_EQ(compare_with_clear(compiled_.package.network, images, result.logits).same_class, 1u);
  channel->close();
  // And goes on afterwards: nothing that was prepared is lost at either party.
  ASSERT_TRUE(soon([&] { return stored() == 40; }));
  EXPECT_EQ(preparing.prepared(), 40u);
  std::size_t halves = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "server"))
    halves += entry.path().extension() == ".material" ? 1 : 0;
  EXPECT_EQ(halves, 40u);
}

TEST_F(PrepareAheadTest, WaitsForAServerThatIsGoneAndSaysSoOnce) {
  auto server = std::make_unique<RunningServer>(compiled_.package, with_store(1));
  PrepareAhead preparing(client_, *store_, options(*server, 2));
  server.reset();
  {
    const Running running(preparing);
    ASSERT_TRUE(soon([&] {
      const std::lock_guard lock(mutex_);
      return !notices_.empty();
    }));
    std::this_thread::sleep_for(300ms);
  }
  EXPECT_EQ(notices_.size(), 1u) << notices_.back();
  EXPECT_EQ(preparing.prepared(), 0u);
}

TEST_F(PrepareAheadTest, AFullStoreIsTheCallersToMend) {
  const auto small = open_client_store(directory_.path() / "small", client_.id, {}, 1000);
  RunningServer server(compiled_.package, with_store(1));
  PrepareAhead preparing(client_, *small, options(server, 2));
  EXPECT_THROW(preparing.run(), Error);
}

}  // namespace
}  // namespace ap::app
