// The public interface over a small network. What it calls has tests of its own; these look at what the interface adds:
// options and results as plain structures, one kind of error, sessions and threads as objects.
#include <gtest/gtest.h>

#include <autoprivacy/autoprivacy.h>
#include <chrono>
#include <mutex>
#include <thread>

#include "app/api/translate.h"
#include "base/error.h"
#include "base/files.h"
#include "tests/app/small_network.h"
#include "tests/base/temporary_directory.h"

namespace ap::app {
namespace {

namespace api = autoprivacy;

api::Images images(std::size_t count, std::uint32_t seed = 1) {
  nn::Dataset data = small_images(count, seed);
  return {{1, kSmallSide, kSmallSide}, std::move(data.bytes), {}, std::move(data.labels)};
}

api::Compiled compiled(api::CompileOptions options = {}) {
  options.labels = {"cat", "dog", "fish"};
  return api::compile(small_onnx(), "small", images(16), "", options);
}

/// The code of the error that `work` ends with, and that it is of the one public type.
template <typename Work>
api::ErrorCode code_of(const Work& work) {
  try {
    work();
  } catch (const api::Error& error) {
    EXPECT_STRNE(error.what(), "");
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return {};
}

api::ServerOptions in_memory() {
  api::ServerOptions options;
  options.count_in_memory = true;
  return options;
}

api::ConnectOptions trusting(const api::Server& server) {
  api::ConnectOptions options;
  options.trust = server.fingerprint();
  options.deadline = std::chrono::seconds(20);
  return options;
}

TEST(Api, ErrorsOfEveryKindBecomeOne) {
  for (const ErrorCode code : {ErrorCode::internal, ErrorCode::input, ErrorCode::peer, ErrorCode::security}) {
    try {
      translated([&] { fail(code, "a sentence"); });
      FAIL();
    } catch (const api::Error& error) {
      EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code));
      EXPECT_STREQ(error.what(), "a sentence");
    }
  }
  EXPECT_EQ(code_of([] { translated([] { throw std::bad_alloc(); }); }), api::ErrorCode::internal);
  EXPECT_EQ(code_of([] { translated([] { throw std::logic_error("x"); }); }), api::ErrorCode::internal);
  EXPECT_EQ(code_of([] { translated([] { throw api::Error(api::ErrorCode::peer, "x"); }); }),
            api::ErrorCode::peer);
  EXPECT_EQ(translated([] { return 7; }), 7);
}

TEST(Api, ChannelsOfOnePixelAreTakenApart) {
  const std::vector<std::uint8_t> decoded = {1, 10, 100, 2, 20, 200};  // two pixels: red, green, blue
  EXPECT_EQ(api::channels_first(decoded, {3, 1, 2}), (std::vector<std::uint8_t>{1, 2, 10, 20, 100, 200}));
  EXPECT_EQ(code_of([&] { api::channels_first(decoded, {3, 2, 2}); }), api::ErrorCode::input);
  EXPECT_EQ(code_of([&] { api::channels_first({}, {0, 0, 0}); }), api::ErrorCode::input);
}

TEST(Api, ImagesAreCountedByTheirShape) {
  const api::Images two = images(2);
  EXPECT_EQ(two.size(), 2u);
  EXPECT_EQ(two.image(1).data(), two.pixels.data() + 36);
  EXPECT_EQ(two.image(1).size(), 36u);
  EXPECT_EQ(code_of([&] { (void)two.image(2); }), api::ErrorCode::input);
  EXPECT_EQ(api::Images{}.size(), 0u);
  EXPECT_EQ(code_of([] { api::load_images("nothing"); }), api::ErrorCode::input);
}

TEST(Api, CompilesAuditsAndSimulates) {
  std::vector<std::string> tasks;
  api::CompileOptions options;
  options.progress = [&](const api::Progress& progress) {
    EXPECT_LE(progress.done, progress.total);
    if (progress.last) tasks.push_back(progress.task);
  };
  const api::Compiled result = compiled(options);
  EXPECT_EQ(tasks, (std::vector<std::string>{"compile", "accuracy"}));
  ASSERT_EQ(result.layers.size(), 3u);
  EXPECT_TRUE(result.layers[0].linear && !result.layers[1].linear && result.layers[2].linear);
  EXPECT_EQ(result.layers[1].activation, "auto");
  EXPECT_GE(result.layers[0].linear->lambda_bits, 128);
  EXPECT_GT(result.online.bytes_up, 0);
  EXPECT_TRUE(result.accuracy.clear);

  const api::Audit audit = api::audit(result.client_package);
  EXPECT_EQ(audit.package_id, result.package_id);
  EXPECT_EQ(audit.min_lambda_bits, result.min_lambda_bits);
  ASSERT_EQ(audit.layers.size(), 2u);
  EXPECT_EQ(audit.layers[0].ring_degree, result.layers[0].linear->ring_degree);
  EXPECT_FALSE(audit.assumptions.empty());

  const api::Images held_out = images(8, 3);
  api::SimulateOptions seeds;
  seeds.seeds = 2;
  const api::Simulation simulation = api::simulate(result.server_package, held_out, seeds);
  EXPECT_EQ(simulation.images, 8u);
  EXPECT_EQ(simulation.top1_by_seed.size(), 2u);
  const auto clear = api::classify_in_clear(result.server_package, held_out);
  ASSERT_EQ(clear.size(), 8u);
  double right = 0;
  for (std::size_t i = 0; i < 8; ++i) right += clear[i].label == held_out.labels[i];
  EXPECT_EQ(simulation.top1_clear, right / 8);
}

TEST(Api, CompileRefusesWhatItCannotUse) {
  const auto refuses = [](const auto& change) {
    api::CompileOptions options;
    change(options);
    return code_of([&] { compiled(options); }) == api::ErrorCode::input;
  };
  EXPECT_TRUE(refuses([](auto& o) { o.policy = "best"; }));
  EXPECT_TRUE(refuses([](auto& o) { o.max_seconds = 1; })) << "policy exact does not search";
  EXPECT_TRUE(refuses([](auto& o) { o.policy = "budget", o.max_accuracy_loss = 1.5; }));
  EXPECT_TRUE(refuses([](auto& o) { o.unit_costs = "{"; }));
  EXPECT_TRUE(refuses([](auto& o) { o.reveal = "all"; }));
  const auto compile_on = [](const api::Images& calibration) {
    return code_of([&] { api::compile(small_onnx(), "small", calibration, ""); });
  };
  EXPECT_EQ(compile_on({}), api::ErrorCode::input);
  api::Images odd = images(2);
  odd.pixels.pop_back();
  EXPECT_EQ(compile_on(odd), api::ErrorCode::input);
  api::Images unlabelled = images(2);
  unlabelled.labels.pop_back();
  EXPECT_EQ(compile_on(unlabelled), api::ErrorCode::input);
  api::Images wide = images(2);
  wide.shape = {1, 4, 9};
  EXPECT_EQ(compile_on(wide), api::ErrorCode::input);
}

TEST(Api, ClassifiesOverTheSocket) {
  const api::Compiled result = compiled();
  api::Server server(result.server_package, in_memory());
  server.start();
  api::Client client(result.client_package);
  EXPECT_EQ(client.input_shape(), (api::Shape{1, kSmallSide, kSmallSide}));
  EXPECT_EQ(client.classes(), 3u);
  EXPECT_EQ(client.labels(), (std::vector<std::string>{"cat", "dog", "fish"}));
  EXPECT_EQ(client.package_id(), server.package_id());
  EXPECT_EQ(code_of([&] { client.prepare(1); }), api::ErrorCode::input) << "not connected";
  client.connect(server.url(), trusting(server));

  const api::Images data = images(3, 5);
  const auto clear = api::classify_in_clear(result.server_package, data);
  client.prepare(2);
  EXPECT_EQ(client.prepared(), 2u);
  const api::Classification first = client.classify(data.image(0));
  EXPECT_EQ(client.prepared(), 1u);
  EXPECT_EQ(first.label, clear[0].label);
  EXPECT_EQ(first.name, client.labels()[static_cast<std::size_t>(clear[0].label)]);
  EXPECT_EQ(first.scores.size(), 3u);
  EXPECT_FALSE(first.report.from_store);
  EXPECT_FALSE(first.report.online.server_cpu_seconds) << "the server does not tell";
  EXPECT_GT(first.report.offline.bytes_up, 0u);
  EXPECT_EQ(first.report.layers.size(), 3u);

  // The same image, normalised by the caller: pixel / 255.
  std::vector<float> normalised;
  for (const std::uint8_t pixel : data.image(0)) normalised.push_back(static_cast<float>(pixel / 255.0));
  EXPECT_EQ(client.classify(normalised).label, clear[0].label);
  const auto all = client.classify(data);
  ASSERT_EQ(all.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(all[i].label, clear[i].label) << i;
  EXPECT_EQ(server.inferences(), 5u);

  EXPECT_EQ(code_of([&] { client.classify(data.image(0).first(35)); }), api::ErrorCode::input);
  EXPECT_EQ(code_of([&] { client.classify(api::Images{}); }), api::ErrorCode::input);
  EXPECT_EQ(code_of([&] { client.store(1); }), api::ErrorCode::input) << "there is no store";
  EXPECT_EQ(client.classify(data.image(2)).label, clear[2].label) << "the session has borne all that";
  client.close();
  EXPECT_FALSE(client.connected());
  client.close();
  server.stop();
  server.stop();
  EXPECT_EQ(code_of([&] { client.connect(server.url(), trusting(server)); }), api::ErrorCode::peer);
  EXPECT_FALSE(client.connected());
}

TEST(Api, RevealsTheLabelAlone) {
  api::CompileOptions options;
  options.reveal = "label";
  const api::Compiled result = compiled(options);
  EXPECT_TRUE(api::audit(result.server_package).reveals_label);
  api::Server server(result.server_package, in_memory());
  server.start();
  api::Client client(result.client_package);
  EXPECT_TRUE(client.reveals_label());
  client.connect(server.url(), trusting(server));
  const api::Images data = images(1, 9);
  const api::Classification answer = client.classify(data.image(0));
  EXPECT_EQ(answer.label, api::classify_in_clear(result.server_package, data)[0].label);
  EXPECT_TRUE(answer.scores.empty());
}

TEST(Api, StoresInferencesForLaterSessions) {
  const TemporaryDirectory directory;
  compiled().write(directory.path());
  std::mutex mutex;
  std::vector<std::string> log;
  api::ServerOptions options;
  options.store = directory.path() / "server";
  options.share_statistics = api::ShareStatistics::process;
  options.log = [&](api::LogLevel, const std::string& sentence) {
    const std::lock_guard lock(mutex);
    log.push_back(sentence);
  };
  api::Server server(directory.path() / "server.apm", options);
  server.start();
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "server.apm.ledger"));
  api::ConnectOptions connect = trusting(server);
  connect.store = directory.path() / "client";
  api::Client client(directory.path() / "client.apm");
  client.connect(server.address(), connect);
  EXPECT_EQ(client.store(2), 2u);
  client.connect(server.url(), connect);
  const api::Images data = images(1, 4);
  const api::Classification answer = client.classify(data.image(0));
  EXPECT_TRUE(answer.report.from_store);
  EXPECT_TRUE(answer.report.online.server_cpu_seconds);
  EXPECT_EQ(answer.label, api::classify_in_clear(directory.path() / "server.apm", data)[0].label);
  client.close();
  server.stop();
  EXPECT_FALSE(log.empty());
}

TEST(Api, RefusesTheWrongPackageAndTheWrongServer) {
  const api::Compiled result = compiled();
  EXPECT_EQ(code_of([&] { api::Client client(result.server_package); }), api::ErrorCode::input);
  EXPECT_EQ(code_of([&] { api::Server server(result.client_package, in_memory()); }), api::ErrorCode::input);
  EXPECT_EQ(code_of([&] { api::Server server(result.server_package); }), api::ErrorCode::input)
      << "nowhere to count inferences";
  EXPECT_EQ(code_of([&] { api::simulate(result.client_package, images(1)); }), api::ErrorCode::input);
  EXPECT_EQ(code_of([&] { api::classify_in_clear(result.client_package, images(1)); }),
            api::ErrorCode::input);
  api::Server server(result.server_package, in_memory());
  server.start();
  EXPECT_EQ(code_of([&] { server.start(); }), api::ErrorCode::input);
  api::Client client(result.client_package);
  api::ConnectOptions stranger;
  stranger.trust = std::string(64, '0');
  EXPECT_EQ(code_of([&] { client.connect(server.url(), stranger); }), api::ErrorCode::security);
  stranger.trust = "no such file";
  EXPECT_EQ(code_of([&] { client.connect(server.url(), stranger); }), api::ErrorCode::input);
}

TEST(Api, TheVersionIsThatOfTheHeaders) { EXPECT_STREQ(api::version(), AUTOPRIVACY_VERSION); }

TEST(Api, AServerOfAFolderOffersItsNetworks) {
  const TemporaryDirectory directory;
  const api::Compiled result = compiled();
  const auto put = [&](const std::string& name, const std::vector<std::uint8_t>& bytes) {
    write_file(directory.path() / ".arriving", bytes);
    std::filesystem::rename(directory.path() / ".arriving", directory.path() / name);
  };
  put("a.apm", result.server_package);
  api::Server server(directory.path());
  server.start();
  ASSERT_EQ(server.networks().size(), 1u);
  EXPECT_EQ(server.networks()[0].name, "a");
  EXPECT_EQ(server.networks()[0].package_id, result.package_id);
  EXPECT_EQ(server.package_id(), result.package_id);
  EXPECT_GT(server.networks()[0].session_bytes, 0u);
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "server.identity"));

  api::CompileOptions other;
  other.activation = "gc";
  put("b.apm", compiled(other).server_package);
  server.reload();
  for (int i = 0; i < 1000 && server.networks().size() < 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(server.networks().size(), 2u);
  api::Client client(result.client_package);
  client.connect(server.url(), trusting(server));
  EXPECT_TRUE(client.classify(images(1).image(0)).label);
  client.close();
}

TEST(Api, AClientHearsWhereItStandsInTheQueue) {
  const api::Compiled result = compiled();
  api::ServerOptions options = in_memory();
  options.max_sessions = 1;
  api::Server server(result.server_package, options);
  server.start();
  api::Client first(result.client_package), second(result.client_package);
  first.connect(server.url(), trusting(server));
  first.prepare(1);

  api::ConnectOptions impatient = trusting(server);
  impatient.place_wait = std::chrono::milliseconds(0);
  EXPECT_EQ(code_of([&] { second.connect(server.url(), impatient); }), api::ErrorCode::peer);
  EXPECT_FALSE(second.connected());

  api::ConnectOptions patient = trusting(server);
  patient.on_wait = [&](std::optional<std::size_t> before, std::chrono::seconds about) {
    EXPECT_EQ(before, std::optional<std::size_t>(0));
    EXPECT_GE(about.count(), 1);
    if (first.connected()) first.close();
  };
  second.connect(server.url(), patient);
  EXPECT_FALSE(first.connected());
  EXPECT_TRUE(second.classify(images(1).image(0)).label);
  second.close();
}

TEST(Api, PrepareAheadFillsTheStoreThatClientsUse) {
  const TemporaryDirectory directory;
  const api::Compiled result = compiled();
  api::ServerOptions options = in_memory();
  options.store = directory.path() / "server";
  api::Server server(result.server_package, options);
  server.start();
  api::ConnectOptions with_store = trusting(server);
  EXPECT_EQ(code_of([&] { api::PrepareAhead(result.client_package, server.url(), 2, with_store); }),
            api::ErrorCode::input)
      << "no store";
  with_store.store = directory.path() / "client";
  EXPECT_EQ(code_of([&] { api::PrepareAhead(result.server_package, server.url(), 2, with_store); }),
            api::ErrorCode::input)
      << "the server's package";
  api::PrepareAhead preparing(result.client_package, server.url(), 2, with_store);
  preparing.start();
  EXPECT_EQ(code_of([&] { preparing.start(); }), api::ErrorCode::input);
  for (int i = 0; i < 1500 && preparing.available() < 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(preparing.available(), 2u);
  EXPECT_EQ(preparing.prepared(), 2u);
  preparing.stop();
  preparing.stop();
  api::Client client(result.client_package);
  client.connect(server.url(), with_store);
  EXPECT_TRUE(client.classify(images(1).image(0)).report.from_store);
  client.close();

  api::PrepareAhead distrusting(result.client_package, server.url(), 3, [&] {
    api::ConnectOptions wrong = with_store;
    wrong.trust = std::string(64, '0');
    return wrong;
  }());
  distrusting.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_EQ(code_of([&] { distrusting.stop(); }), api::ErrorCode::security);
}

}  // namespace
}  // namespace ap::app
