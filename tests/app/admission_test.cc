// Who is served and how often, over real connections: tokens, certificates, groups, and the end of a budget.
#include <gtest/gtest.h>

#include <filesystem>

#include "app/clients.h"
#include "base/error.h"
#include "tests/app/running_server.h"
#include "tests/base/temporary_directory.h"

namespace ap::app {
namespace {

class AdmissionTest : public testing::Test {
 protected:
  std::filesystem::path path(const char* name) const { return directory_.path() / name; }

  /// The server's package, promising this many inferences.
  package::Package promising(std::uint64_t inferences) const {
    package::Package package = compiled_.package;
    package.plan.privacy.inferences = inferences;
    return package;
  }
  ServerConfig counting() const {
    ServerConfig config;
    config.ledger = path("ledger");
    return config;
  }
  net::Credentials added(const std::string& name, const std::string& group, std::uint64_t limit = 0) const {
    Client client;
    client.name = name;
    client.group = group;
    client.limit = limit;
    return {add_client(path("clients"), client), {}};
  }
  static std::unique_ptr<net::Channel> connect(RunningServer& server, const net::Credentials& credentials) {
    return net::connect("wss://" + server->address(),
                        net::TlsTrust::pinned_certificate(server->fingerprint()), std::chrono::seconds(20),
                        {}, credentials);
  }
  /// The sentence that ends a run of `count` images; empty if they are all classified.
  std::string classify(RunningServer& server, std::size_t count,
                       const net::Credentials& credentials = {}) const {
    const std::vector<Image> images = small_inputs(compiled_.package, count);
    try {
      const auto channel = connect(server, credentials);
      const RunResult result = run_images(client_, *channel, images);
      EXPECT_EQ(compare_with_clear(compiled_.package.network, images, result.logits).same_class, count);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::peer) << error.what();
      return error.what();
    }
    return "";
  }
  static void expect_in(const std::string& part, const std::string& sentence) {
    EXPECT_NE(sentence.find(part), std::string::npos) << "expected \"" << part << "\" in: " << sentence;
  }

  const Compiled compiled_ = compile_small();
  const package::Package client_ = package::parse(compiled_.files.client, "client.apm");
  TemporaryDirectory directory_;
};

TEST_F(AdmissionTest, ABudgetEndsWithASentenceAndStaysUsedUp) {
  for (int run = 0; run < 2; ++run) {
    RunningServer server(promising(3), counting());
    EXPECT_EQ(server->counts_from_zero(), run == 0);
    if (run == 0) {
      EXPECT_EQ(classify(server, 2), "");
      EXPECT_EQ(server->standings().at("").remaining(), 1u);
      EXPECT_EQ(classify(server, 1), "");
    }
    expect_in("the server has prepared all 3 inferences that its weights may be asked for",
              classify(server, 1));
  }
  RunningServer raised(promising(4), counting());
  EXPECT_EQ(classify(raised, 1), "");
}

TEST_F(AdmissionTest, ARefusedSessionGoesOn) {
  RunningServer server(promising(2), counting());
  const protocol::Model model(client_.network, client_.plan);
  const auto channel = server.connect();
  protocol::ClientSession session(model, client_.id, *channel);
  session.prepare();
  session.prepare();
  EXPECT_THROW(session.prepare(), Error);
  EXPECT_THROW(session.prepare(), Error);
  EXPECT_EQ(session.prepared(), 2u);
  const std::vector<Image> images = small_inputs(compiled_.package, 2);
  std::vector<Logits> logits;
  for (const Image& image : images) logits.push_back(session.infer(image));
  EXPECT_EQ(compare_with_clear(compiled_.package.network, images, logits).same_class, 2u);
  EXPECT_THROW(session.infer(images[0]), Error);
  session.finish();
  channel->close();
  server.expect_no_sessions();
  EXPECT_EQ(server->inferences(), 2u);
}

TEST_F(AdmissionTest, StoredInferencesCountWhenTheyArePrepared) {
  ServerConfig config = counting();
  config.store = path("server");
  RunningServer server(promising(3), config);
  protocol::PreprocessingStore store(path("client"), Party::client, client_.id);
  EXPECT_EQ(prepare_only(client_, *server.connect(), store, 3).available, 3u);
  EXPECT_EQ(server->standings().at("").remaining(), 0u);
  const std::vector<Image> images = small_inputs(compiled_.package, 3);
  const RunResult result = run_images(client_, *server.connect(), images, {.store = &store});
  EXPECT_EQ(result.mean.from_store, 3u);
  EXPECT_EQ(compare_with_clear(compiled_.package.network, images, result.logits).same_class, 3u);
  expect_in("all 3 inferences", classify(server, 1));
}

TEST_F(AdmissionTest, TheOperatorsLimitLowersThePromise) {
  ServerConfig config = counting();
  config.max_inferences = 1;
  RunningServer server(promising(1000), config);
  EXPECT_EQ(classify(server, 1), "");
  expect_in("all 1 inferences", classify(server, 1));
  config.ledger = path("other");
  RunningServer without(promising(0), config);
  EXPECT_EQ(classify(without, 1), "");
  expect_in("all 1 inferences", classify(without, 1));
}

TEST_F(AdmissionTest, WithoutAPromiseNothingIsCounted) {
  RunningServer server(promising(0), counting());
  EXPECT_TRUE(server->standings().empty());
  EXPECT_EQ(classify(server, 3), "");
  EXPECT_FALSE(std::filesystem::exists(path("ledger")));
}

TEST_F(AdmissionTest, TokensAdmitAndGroupsHaveTheirOwnBudgets) {
  const net::Credentials anna = added("anna", "a"), arthur = added("arthur", "a"), bob = added("bob", "b", 1);
  ServerConfig config = counting();
  config.clients = path("clients");
  RunningServer server(promising(3), config);
  EXPECT_EQ(server->clients(), 3u);
  EXPECT_EQ(classify(server, 2, anna), "");
  EXPECT_EQ(classify(server, 1, arthur), "");
  expect_in("all 3 inferences that its weights", classify(server, 1, arthur));
  expect_in("all 3 inferences that its weights", classify(server, 1, anna));
  EXPECT_EQ(classify(server, 1, bob), "");
  expect_in("all 1 inferences that this client may have", classify(server, 1, bob));
  EXPECT_EQ(server->standings().at("b").remaining(), 2u);

  net::Credentials wrong = anna;
  wrong.token[0] = wrong.token[0] == '0' ? '1' : '0';
  expect_in("does not know the token or certificate", classify(server, 1, wrong));
  expect_in("serves only clients that it knows", classify(server, 1));
  wrong.token.assign(7000, 'a');
  expect_in("does not know the token or certificate", classify(server, 1, wrong));

  // Added while the server runs.
  EXPECT_EQ(classify(server, 1, added("carl", "c")), "");
  EXPECT_EQ(server->standings().at("c").prepared, 1u);
}

TEST_F(AdmissionTest, CertificatesAdmit) {
  const net::TlsIdentity known = net::make_self_signed("client"), other = net::make_self_signed("client");
  Client dora;
  dora.name = "dora";
  dora.proof = Client::Proof::certificate;
  const std::string digits = net::certificate_fingerprint(known);
  for (std::size_t i = 0; i < dora.digest.size(); ++i) {
    dora.digest[i] = static_cast<std::uint8_t>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  }
  EXPECT_TRUE(add_client(path("clients"), dora).empty());
  ServerConfig config = counting();
  config.clients = path("clients");
  RunningServer server(promising(3), config);
  EXPECT_EQ(classify(server, 1, {{}, known}), "");
  expect_in("does not know the token or certificate", classify(server, 1, {{}, other}));
  expect_in("serves only clients that it knows", classify(server, 1));
  // A name of no group of its own belongs to everyone.
  EXPECT_EQ(server->standings().at(kDefaultGroup).prepared, 1u);
}

TEST_F(AdmissionTest, NothingIsPreparedUncounted) {
  RunningServer server(promising(100), counting());
  EXPECT_EQ(classify(server, 1), "");
  std::filesystem::remove(path("ledger"));
  expect_in("cannot count inferences now", classify(server, 1));
  expect_in("cannot count inferences now", classify(server, 1));
  EXPECT_EQ(server->inferences(), 1u);
}

TEST_F(AdmissionTest, ALedgerThatCannotBeUsedEndsTheStart) {
  ServerConfig config = counting();
  config.ledger = path("absent") / "ledger";
  EXPECT_THROW(Server(promising(1), config), Error);
  config.ledger = path("ledger");
  config.clients = path("absent");
  EXPECT_THROW(Server(promising(1), config), Error);
}

}  // namespace
}  // namespace ap::app
