// Inferences prepared in one session and used in another, for every protocol and packing.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "net/channel/channel.h"
#include "nn/execute/integer_executor.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/server.h"
#include "tests/base/temporary_directory.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/simd_plan.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

using test::packaged;

using Use = ClientSession::Use;

/// So few truncation errors that all activations are those of the clear network.
plan::Plan precise_plan(const nn::QuantisedNetwork& network, const std::string& protocol = {}) {
  plan::SelectOptions options;
  options.max_changes = 1e-4;
  plan::Plan plan = plan::select_exact(network, options);
  for (plan::ActivationChoice& choice : plan.activations) {
    if (!protocol.empty()) choice.protocol = protocol;
  }
  return plan;
}

/// conv -> quadratic -> fully connected.
nn::QuantisedNetwork quadratic_network() {
  Prng prng(Seed{5});
  nn::QuantisedNetwork net;
  net.name = "quadratic";
  auto& nodes = net.nodes;
  const nn::Window same{3, 3, 1, 1, {1, 1, 1, 1}};
  nodes.push_back(test::make_node("input", nn::QInput{}, {}, {2, 6, 6}));
  nodes[0].low = -128;
  nodes[0].high = 127;
  nodes.push_back(test::make_node("conv", test::make_linear(prng, {2, 6, 6}, same, 1, 4), {0}, {4, 6, 6}));
  nodes.push_back(test::make_node("square", nn::QQuadratic{6, 4000, 611, 2, 10, -5, 8}, {1}, {4, 6, 6}));
  nodes.push_back(test::make_node("fc", test::make_linear(prng, {144, 1, 1}, {}, 1, 10), {2}, {10, 1, 1}));
  nn::set_ranges(net, static_cast<int>(nodes.size()));
  return net;
}

std::vector<std::int32_t> random_image(const nn::QNode& input, Prng& prng) {
  std::vector<std::int32_t> image(static_cast<std::size_t>(input.shape.size()));
  const auto values = static_cast<std::uint64_t>(input.high - input.low + 1);
  for (std::int32_t& v : image)
    v = static_cast<std::int32_t>(input.low + static_cast<std::int64_t>(prng.next64() % values));
  return image;
}

/// Counts messages by type.
class CountingChannel : public net::Channel {
 public:
  explicit CountingChannel(net::Channel& inner) : inner_(inner) {}
  void send(net::MessageType type, ByteView payload) override {
    seen.push_back(type);
    inner_.send(type, payload);
  }
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    seen.push_back(type);
    return inner_.receive(type, min_bytes, max_bytes);
  }
  void set_deadline(std::chrono::milliseconds wait) override { inner_.set_deadline(wait); }
  void close() override { inner_.close(); }
  net::Traffic traffic() const override { return inner_.traffic(); }
  std::vector<net::MessageType> seen;

 private:
  net::Channel& inner_;
};

/// Both parties of one package, each with a directory.
class Parties {
 public:
  explicit Parties(package::Package package, std::size_t server_limit = 64)
      : package_(std::move(package)),
        server_model_(package_),
        model_(nn::strip_weights(package_.network), package_.plan),
        client_store(directory_.path() / "client", Party::client, package_.id),
        server_store(directory_.path() / "server", Party::server, package_.id, limits(server_limit)) {}

  /// One session; the server's failure, if any, comes back as text.
  template <typename Talk>
  std::string session(const Talk& talk, bool with_store = true) {
    auto [client_end, server_end] = net::make_local_channels();
    std::string failure;
    std::thread server([&, channel = server_end.get()] {
      ServerOptions options;
      if (with_store) options.store = &server_store;
      options.store_owner = owner;
      options.on_store_failure = [&](const std::string& s) { complaints.push_back(s); };
      try {
        serve_session(server_model_, *channel, options);
      } catch (const Error& error) {
        failure = error.what();
        channel->close();
      }
    });
    CountingChannel counting(*client_end);
    try {
      ClientOptions options;
      options.weak = WeakParameters::allow_for_tests;
      ClientSession client(model_, package_.id, counting, options);
      talk(client);
      client.finish();
    } catch (...) {
      client_end->close();
      server.join();
      throw;
    }
    server.join();
    seen = std::move(counting.seen);
    return failure;
  }
  void expect_right(ClientSession& client) {
    const auto image = random_image(package_.network.nodes[0], prng_);
    const auto logits = client.infer(image);
    const auto clear = nn::integer_logits(package_.network, image);
    if (model_.reveals_label()) {
      ASSERT_EQ(logits.size(), 1u);
      EXPECT_GE(clear[static_cast<std::size_t>(logits[0])] + 2 * tolerance, std::ranges::max(clear));
      return;
    }
    for (std::size_t k = 0; k < clear.size(); ++k) EXPECT_LE(std::abs(logits[k] - clear[k]), tolerance) << k;
  }
  bool saw(net::MessageType first, net::MessageType last) const {
    return std::ranges::any_of(seen, [&](net::MessageType t) { return t >= first && t <= last; });
  }

  TemporaryDirectory directory_;
  package::Package package_;
  ServerModel server_model_;
  Model model_;
  Prng prng_;
  PreprocessingStore client_store, server_store;
  std::vector<std::string> complaints;
  StoreOwner owner;
  std::vector<net::MessageType> seen;
  std::int64_t tolerance = 0;

 private:
  static StoreOptions limits(std::size_t inferences) {
    StoreOptions options;
    options.max_inferences = inferences;
    return options;
  }
};

void expect_round_trip(Parties& parties) {
  std::vector<PreprocessingId> ids;
  EXPECT_EQ(parties.session([&](ClientSession& client) {
    for (int i = 0; i < 2; ++i) ids.push_back(client.store(parties.client_store));
    EXPECT_EQ(client.prepared(), 0u);
    EXPECT_GT(client.report().offline.bytes_up, 0u);
    parties.expect_right(client);  // the session goes on as if nothing had been stored
  }),
            "");
  EXPECT_EQ(parties.client_store.ids().size(), 2u);
  EXPECT_EQ(parties.server_store.ids().size(), 2u);

  EXPECT_EQ(parties.session([&](ClientSession& client) {
    for (const std::size_t i : {1, 0}) {
      ASSERT_EQ(client.use(parties.client_store, ids[i]), Use::ready);
      parties.expect_right(client);
      EXPECT_EQ(client.report().from_store, 1u);
      EXPECT_EQ(client.report().offline.bytes_up + client.report().offline.bytes_down, 0u);
      EXPECT_EQ(client.use(parties.client_store, ids[i]), Use::taken);
    }
  }),
            "");
  EXPECT_TRUE(parties.complaints.empty());
  EXPECT_TRUE(parties.server_store.ids().empty());
  // No keys, uploads, base OTs, trees, columns, silent OTs or echoes.
  EXPECT_FALSE(parties.saw(kProbe, kProtocols));
  EXPECT_FALSE(parties.saw(kPublicKeys, kSlotKeys));
  EXPECT_FALSE(parties.saw(0x0300, 0x0303));
  EXPECT_FALSE(parties.saw(0x0306, 0x0306));
  EXPECT_FALSE(parties.saw(0x0310, 0x0317));
  EXPECT_FALSE(parties.saw(0x031f, 0x0320));
}

TEST(StoredSession, Garbling) {
  Parties parties(packaged(test::small_network(), precise_plan(test::small_network(), "gc")));
  parties.tolerance = 1;
  expect_round_trip(parties);
  EXPECT_TRUE(parties.saw(0x0304, 0x0305));
}

TEST(StoredSession, Transfers) {
  Parties parties(packaged(test::small_network(), precise_plan(test::small_network(), "ot")));
  parties.tolerance = 1;
  expect_round_trip(parties);
  EXPECT_TRUE(parties.saw(0x0318, 0x031e));
}

TEST(StoredSession, LabelsByEveryProtocol) {
  for (const char* protocol : {"gc", "ot"}) {
    SCOPED_TRACE(protocol);
    plan::Plan plan = precise_plan(test::small_network(), protocol);
    plan.reveal = plan::Reveal::label;
    plan.argmax_protocol = protocol;
    Parties parties(packaged(test::small_network(), std::move(plan)));
    parties.tolerance = 1;
    expect_round_trip(parties);
  }
}

TEST(StoredSession, Quadratics) {
  Parties parties(packaged(quadratic_network(), precise_plan(quadratic_network())));
  parties.tolerance = 1;
  expect_round_trip(parties);
  EXPECT_TRUE(parties.saw(0x0331, 0x0331));
}

// All shares are modulo primes, where nothing deviates.
TEST(StoredSession, SlotsWithPrimes) {
  Parties parties(
      packaged(test::small_network(),
               test::simd_plan(test::small_network(), plan::select_exact(test::small_network()))));
  expect_round_trip(parties);
}

class StoredSessionTest : public testing::Test {
 protected:
  Parties parties_{packaged(quadratic_network(), precise_plan(quadratic_network()))};
  PreprocessingId stored() {
    PreprocessingId id{};
    parties_.tolerance = 1;
    parties_.session([&](ClientSession& client) { id = client.store(parties_.client_store); });
    return id;
  }
};

TEST_F(StoredSessionTest, TheServerRefusesASecondUse) {
  const PreprocessingId id = stored();
  // A client that kept a copy of its half, as from a backup.
  const auto copy = parties_.directory_.path() / "copy";
  std::filesystem::copy(std::filesystem::path(parties_.client_store.name()), copy);
  std::filesystem::permissions(copy, std::filesystem::perms::owner_all);
  PreprocessingStore restored(copy, Party::client, parties_.package_.id);
  parties_.session([&](ClientSession& client) {
    ASSERT_EQ(client.use(parties_.client_store, id), Use::ready);
    parties_.expect_right(client);
    EXPECT_EQ(client.use(restored, id), Use::unknown);
    EXPECT_EQ(restored.ids().size(), 1u) << "it may belong to another server";
    parties_.expect_right(client);  // prepared now
    EXPECT_EQ(client.report().from_store, 0u);
  });
}

TEST_F(StoredSessionTest, AClaimThatIsNotUsedIsLost) {
  const PreprocessingId id = stored();
  parties_.session(
      [&](ClientSession& client) { ASSERT_EQ(client.use(parties_.client_store, id), Use::ready); });
  parties_.session(
      [&](ClientSession& client) { EXPECT_EQ(client.use(parties_.client_store, id), Use::taken); });
  EXPECT_TRUE(parties_.client_store.ids().empty());
  EXPECT_TRUE(parties_.server_store.ids().empty());
}

TEST_F(StoredSessionTest, AServerThatIsFullOrKeepsNothingRefuses) {
  Parties small(packaged(quadratic_network(), plan::select_exact(quadratic_network())), 1);
  const auto store = [&](ClientSession& client) { client.store(small.client_store); };
  const auto expect_refused = [&](const char* words, bool with_store = true) {
    try {
      small.session(store, with_store);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::peer);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  expect_refused("keeps no prepared inferences", false);
  small.owner = make_owner(StoreOwner::Kind::client, "one");
  EXPECT_EQ(small.session(store), "");
  expect_refused("--store-client-limit");
  small.owner = make_owner(StoreOwner::Kind::client, "other");
  expect_refused("--store-limit");
  EXPECT_EQ(small.client_store.ids().size(), 1u);
  EXPECT_EQ(small.server_store.ids().size(), 1u);
}

TEST_F(StoredSessionTest, AServerThatCannotWriteSaysSo) {
  std::filesystem::remove_all(parties_.server_store.name());
  try {
    parties_.session([&](ClientSession& client) { client.store(parties_.client_store); });
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
    EXPECT_NE(std::string(error.what()).find("cannot write to its store"), std::string::npos) << error.what();
  }
  ASSERT_EQ(parties_.complaints.size(), 1u);
  EXPECT_NE(parties_.complaints[0].find("No such file"), std::string::npos) << parties_.complaints[0];
  EXPECT_TRUE(parties_.client_store.ids().empty());
}

TEST_F(StoredSessionTest, AClientThatCannotWriteGivesTheServersHalfBack) {
  StoreOptions options;
  options.reached = [](const char* point) {
    if (point == std::string("written")) fail_input("no space left on a device");
  };
  PreprocessingStore full(parties_.directory_.path() / "full", Party::client, parties_.package_.id, options);
  parties_.session([&](ClientSession& client) {
    try {
      client.store(full);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input);
      EXPECT_NE(std::string(error.what()).find("no space left"), std::string::npos) << error.what();
    }
    EXPECT_THROW(client.store(parties_.client_store), Error) << "the session has ended";
    EXPECT_THROW(client.prepare(), Error);
  });
  EXPECT_TRUE(full.ids().empty());
  EXPECT_TRUE(parties_.server_store.ids().empty());
}

TEST_F(StoredSessionTest, ADamagedHalfOfTheServerIsUnknownAndGone) {
  const PreprocessingId id = stored();
  const auto file = std::filesystem::path(parties_.server_store.name()) / (to_hex(id) + ".material");
  Bytes raw = read_file(file, 1 << 24);
  raw.back() ^= 1;
  std::filesystem::resize_file(file, raw.size() - 1);
  parties_.session(
      [&](ClientSession& client) { EXPECT_EQ(client.use(parties_.client_store, id), Use::unknown); });
  EXPECT_EQ(parties_.client_store.ids().size(), 1u);
  ASSERT_EQ(parties_.complaints.size(), 1u);
  EXPECT_NE(parties_.complaints[0].find("damaged"), std::string::npos);
}

// What a hostile client may send.
TEST_F(StoredSessionTest, TheServerChecksCommands) {
  const auto failure_of = [&](const std::function<void(net::Channel&)>& talk) {
    auto [client, server_end] = net::make_local_channels();
    std::string failure;
    std::thread server([&, &channel = server_end] {
      ServerOptions options;
      options.store = &parties_.server_store;
      try {
        serve_session(parties_.server_model_, *channel, options);
      } catch (const Error& error) {
        failure = error.what();
      }
      channel->close();
    });
    ByteWriter hello;
    hello.u16(kProtocolVersion);
    hello.raw(parties_.package_.id);
    client->send(kHello, hello.bytes());
    client->receive(kWelcome, 0, 1000);
    client->send(kNonce, Bytes(32));
    client->receive_exactly(kNonce, 32);
    talk(*client);
    server.join();
    return failure;
  };
  const auto command = [](Command c) { return Bytes{static_cast<std::uint8_t>(c)}; };
  EXPECT_NE(failure_of([&](net::Channel& c) {
              c.send(kCommand, command(Command::store));
              c.send(kPreprocessingId, Bytes(16));
            }).find("not prepared"),
            std::string::npos);
  EXPECT_NE(failure_of([&](net::Channel& c) {
              c.send(kCommand, command(Command::use));
              c.send(kPreprocessingId, Bytes(15));
            }),
            "");
  EXPECT_NE(failure_of([&](net::Channel& c) {
              c.send(kCommand, command(Command::use));
              c.send(kPreprocessingId, Bytes(16));
              EXPECT_EQ(c.receive_exactly(kPreprocessingAnswer, 1), Bytes{1});
              c.send(kCommand, command(Command::infer));
            }).find("not prepared"),
            std::string::npos);
}

}  // namespace
}  // namespace ap::protocol
