// What the parties of complete sessions send, byte by byte, for seeds that never change: it depends on no
// clock, no number of threads and no instruction set. A value that changes although the protocol was meant to
// stay as it is means that it did not, or that a party draws its randomness in another order.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "protocol/hybrid/greeting.h"
#include "protocol/hybrid/messages.h"
#include "tests/base/temporary_directory.h"
#include "tests/transcripts/frozen.h"
#include "tests/transcripts/packages.h"
#include "tests/transcripts/play.h"

namespace ap::transcripts {
namespace {

using protocol::ClientSession;
using protocol::test::packaged;

/// One inference in one session.
void expect_inference_frozen(const std::string& name, const package::Package& package) {
  Play play(package);
  play.session([&](ClientSession& client) { play.infer(client, 1); });
  expect_frozen(name, play.text());
}

TEST(Transcript, Garbling) {
  expect_inference_frozen("garbling",
                          packaged(small_network(1), coefficient_plan(small_network(1), Protocols::gc)));
}

TEST(Transcript, Transfers) {
  expect_inference_frozen("transfers",
                          packaged(small_network(2), coefficient_plan(small_network(2), Protocols::ot)));
}

// ReLUs and a max-pool with all guard bits or few, and an argmax.
TEST(Transcript, OneTrip) {
  const nn::QuantisedNetwork network = small_network(3);
  for (const int guard_bits : {plan::SelectOptions{}.guard_bits, 2, 0}) {
    const plan::Plan plan = coefficient_plan(network, Protocols::one_trip, guard_bits);
    for (const plan::ActivationChoice& choice : plan.activations) EXPECT_EQ(choice.protocol, "one-trip");
    expect_inference_frozen("one trip, guard bits up to " + std::to_string(guard_bits),
                            packaged(network, revealing_label(plan, "one-trip")));
  }
}

// Prepared ahead, and on demand; truncations of which few bits are exact.
TEST(Transcript, BothProtocolsAndSeveralInferences) {
  const nn::QuantisedNetwork network = small_network(3);
  Play play(packaged(network, coefficient_plan(network, Protocols::alternating, 2)));
  play.session([&](ClientSession& client) {
    client.prepare();
    client.prepare();
    for (std::uint64_t image = 1; image <= 3; ++image) play.infer(client, image);
  });
  expect_frozen("both protocols and several inferences", play.text());
}

TEST(Transcript, Quadratics) {
  const nn::QuantisedNetwork network = mixed_network();
  expect_inference_frozen("quadratics, garbling",
                          packaged(network, coefficient_plan(network, Protocols::gc)));
  expect_inference_frozen("quadratics, transfers",
                          packaged(network, coefficient_plan(network, Protocols::ot, 2)));
}

TEST(Transcript, TablesAndProducts) {
  const nn::QuantisedNetwork network = gated_network();
  expect_inference_frozen("tables and products", packaged(network, coefficient_plan(network, Protocols::gc)));
  expect_inference_frozen("tables and products, few exact bits",
                          packaged(network, coefficient_plan(network, Protocols::gc, 2)));
}

// The second inference needs no keys.
TEST(Transcript, Slots) {
  Play play(packaged(small_network(1), slot_plan(small_network(1))));
  play.session([&](ClientSession& client) {
    for (std::uint64_t image = 1; image <= 2; ++image) play.infer(client, image);
  });
  expect_frozen("slots", play.text());
}

TEST(Transcript, SlotsWithKeysForEachInference) {
  plan::Plan plan = slot_plan(small_network(1));
  plan.target_failure_log2 = -20;
  plan.failure_log2 = -30;
  ASSERT_FALSE(plan::keeps_keys(plan));
  Play play(packaged(small_network(1), plan));
  play.session([&](ClientSession& client) {
    for (std::uint64_t image = 1; image <= 2; ++image) play.infer(client, image);
  });
  expect_frozen("SIMD with keys for each inference", play.text());
}

TEST(Transcript, SlotsOfBlockedMatrices) {
  Play play(long_package());
  const auto& layers = play.served().client.linears();
  EXPECT_EQ(layers[1].he->packed().upload_bytes(), 2 * layers[0].he->packed().upload_bytes())
      << "columns in two blocks";
  play.session([&](ClientSession& client) { play.infer(client, 1); });
  expect_frozen("SIMD of blocked matrices", play.text());
}

TEST(Transcript, SlotsAndCoefficients) {
  const nn::QuantisedNetwork network = small_network(3);
  for (const bool slots_first : {true, false}) {
    SimdPlanOptions options;
    options.simd = {slots_first, !slots_first, slots_first, !slots_first};
    expect_inference_frozen(slots_first ? "slots, then coefficients" : "coefficients, then slots",
                            packaged(network, slot_plan(network, options)));
  }
}

TEST(Transcript, Labels) {
  const nn::QuantisedNetwork network = small_network(1);
  expect_inference_frozen("label, garbling",
                          packaged(network, revealing_label(coefficient_plan(network, Protocols::gc), "gc")));
  expect_inference_frozen("label, transfers",
                          packaged(network, revealing_label(coefficient_plan(network, Protocols::ot), "ot")));
  expect_inference_frozen("label, slots", packaged(network, revealing_label(slot_plan(network), "gc")));
}

/// Two inferences are stored in one session, one of them used in another. Also freezes the files of both
/// stores, whose key and times are those of the play.
void expect_storing_frozen(const std::string& name, const package::Package& package) {
  Play play(package);
  const TemporaryDirectory directory;
  protocol::StoreOptions options;
  options.clock = [] { return std::uint64_t{1'700'000'000}; };
  const auto client_path = directory.path() / "client", server_path = directory.path() / "server";
  protocol::PreprocessingStore client_store(client_path, Party::client, play.id, options);
  protocol::PreprocessingStore server_store(server_path, Party::server, play.id, options);
  play.server_options.store = &server_store;
  std::vector<protocol::PreprocessingId> ids;
  play.session([&](ClientSession& client) {
    for (int i = 0; i < 2; ++i) ids.push_back(client.store(client_store));
    play.infer(client, 1);
  });
  ASSERT_EQ(ids.size(), 2U);
  std::string files;
  for (const protocol::PreprocessingId& id : ids) {
    for (const auto& path : {client_path, server_path}) {
      const Bytes file = read_file(path / (protocol::to_hex(id) + ".material"), std::uint64_t{1} << 30);
      files += fmt::format("{} of the {}: {} bytes, {}\n", protocol::to_hex(id), path.filename().string(),
                           file.size(), sha256(file));
    }
  }
  play.session([&](ClientSession& client) {
    ASSERT_EQ(client.use(client_store, ids[1]), ClientSession::Use::ready);
    play.infer(client, 2);
    EXPECT_EQ(client.use(client_store, ids[1]), ClientSession::Use::taken);
    ASSERT_EQ(client.use(client_store, ids[0]), ClientSession::Use::ready);
    play.infer(client, 3);
    play.infer(client, 4);  // prepared now
  });
  expect_frozen(name, play.text() + files);
}

TEST(Transcript, Stores) {
  const nn::QuantisedNetwork network = small_network(1);
  expect_storing_frozen(
      "stores, both protocols",
      packaged(network, revealing_label(coefficient_plan(network, Protocols::alternating), "ot")));
  expect_storing_frozen("stores, quadratics",
                        packaged(mixed_network(), coefficient_plan(mixed_network(), Protocols::ot)));
  expect_storing_frozen("stores, tables and products",
                        packaged(gated_network(), coefficient_plan(gated_network(), Protocols::gc)));
  expect_storing_frozen(
      "stores, one trip",
      packaged(network, revealing_label(coefficient_plan(network, Protocols::one_trip), "one-trip")));
  expect_storing_frozen("stores, slots", packaged(network, slot_plan(network)));
}

// Only the sizes of what a server tells of its cost.
TEST(Transcript, Statistics) {
  for (const auto share : {protocol::ShareStatistics::session, protocol::ShareStatistics::process}) {
    Play play(tiny_package());
    play.server_options.share_statistics = share;
    play.session([&](ClientSession& client) { play.infer(client, 1); });
    expect_frozen(share == protocol::ShareStatistics::session ? "statistics, session" : "statistics, process",
                  play.text());
  }
}

// Where a server ends the session while the client still sends, how much leaves is a matter of time: these
// are the refusals that the client waits for.
TEST(Transcript, Refusals) {
  Play play(tiny_package());
  const package::PackageId right = play.id;
  play.id[0] ^= 1;
  play.session([](ClientSession&) { ADD_FAILURE() << "a session with another package"; });
  play.id = right;

  ByteWriter hello;
  hello.u16(protocol::kProtocolVersion + 1);
  hello.raw(right);
  play.greet(hello.bytes());

  // No inference at all, then one, but no second.
  for (const std::uint64_t granted : {0, 1}) {
    std::uint64_t asked = 0;
    play.server_options.may_prepare = [&] {
      return ++asked > granted ? protocol::Permission{protocol::PrepareAnswer::used_up, granted}
                               : protocol::Permission{};
    };
    play.session([&](ClientSession& client) {
      if (granted == 1) client.prepare();
      EXPECT_THROW(client.prepare(), Error);
      if (granted == 1) play.infer(client, 1);
    });
  }
  play.server_options.may_prepare = nullptr;

  // A server without a store.
  const TemporaryDirectory directory;
  protocol::PreprocessingStore store(directory.path() / "client", Party::client, right);
  play.session([&](ClientSession& client) { client.store(store); });
  expect_frozen("refusals", play.text());
}

// What a server says to a client that would wait for a place: how long, and that there is none in the queue either.
TEST(Transcript, WaitingForAPlace) {
  package::PackageId id;
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::uint8_t>(i);
  auto [client, server] = net::make_local_channels();
  protocol::answer_waiting(*server, id, 3, std::chrono::seconds(20));
  protocol::answer_busy(*server, id, std::chrono::seconds(60));
  std::string text;
  for (int i = 0; i < 2; ++i)
    text += fmt::format("{:02x}\n", fmt::join(client->receive(protocol::kWelcome, 35, 43), ""));
  expect_frozen("waiting for a place", text);
}

}  // namespace
}  // namespace ap::transcripts
