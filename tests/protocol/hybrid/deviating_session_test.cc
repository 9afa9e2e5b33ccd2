// Sessions whose other party deviates in the oblivious transfers: they end before anything online, what was
// prepared is gone, and the server's operator hears of it.
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "base/error.h"
#include "layers/activation/gc/messages.h"
#include "layers/activation/ot/ot_messages.h"
#include "mpc/ot/failed_check.h"
#include "mpc/ot/pprf.h"
#include "net/channel/fault_channel.h"
#include "net/channel/recording_channel.h"
#include "plan/label_bound.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

package::Package label_package(const std::string& protocol) {
  const nn::QuantisedNetwork network = test::small_network();
  plan::Plan plan = plan::select_exact(network);
  for (plan::ActivationChoice& choice : plan.activations) choice.protocol = protocol;
  plan.reveal = plan::Reveal::label;
  plan.argmax_protocol = protocol;
  return test::packaged(network, plan);
}

struct Outcome {
  bool client_finished = false;
  bool failed_at_client = false;  ///< by a check, rather than because the server left
  bool failed_at_server = false;
  int client_status = 0;
  int reported = 0;  ///< calls of on_failed_check
  int inferences = 0;
  std::size_t prepared = 0;
  std::vector<net::RecordedMessage> server_view;
};

/// Two inferences prepared and one run; the client's channel may have a fault.
Outcome run(const package::Package& package, std::optional<net::Fault> fault) {
  const ServerModel server_model(package);
  const Model model(nn::strip_weights(package.network), package.plan);
  auto [client_end, server_end] = net::make_local_channels();
  net::RecordingChannel recorded(std::move(server_end), net::RecordingChannel::Keep::messages);
  Outcome outcome;
  ServerOptions options;
  options.on_failed_check = [&] { ++outcome.reported; };
  options.on_inference = [&] { ++outcome.inferences; };
  std::thread server([&] {
    try {
      serve_session(server_model, recorded, options);
    } catch (const mpc::FailedCheck&) {
      outcome.failed_at_server = true;
    } catch (const Error&) {
    }
    recorded.close();
  });
  std::unique_ptr<net::Channel> channel = std::move(client_end);
  if (fault) channel = std::make_unique<net::FaultChannel>(std::move(channel), *fault);
  try {
    ClientSession session(model, package.id, *channel);
    session.prepare();
    outcome.prepared = session.prepared();
    session.infer(std::vector<std::int32_t>(model.size(0), 9));
    session.finish();
    outcome.client_finished = true;
  } catch (const mpc::FailedCheck& error) {
    outcome.failed_at_client = true;
    outcome.client_status = error.exit_status();
  } catch (const Error& error) {
    outcome.client_status = error.exit_status();
  }
  channel->close();
  server.join();
  outcome.server_view = recorded.messages();
  return outcome;
}

/// The position of the first message of this type in its direction, seen from the client.
std::uint64_t position(const Outcome& clean, net::Direction at_client, net::MessageType type) {
  std::uint64_t index = 0;
  for (const net::RecordedMessage& m : clean.server_view) {
    if ((m.direction == net::Direction::received) != (at_client == net::Direction::sent)) continue;
    if (m.type == type) return index;
    ++index;
  }
  ADD_FAILURE() << "no message of type " << type;
  return 0;
}

bool is_online(net::MessageType type) { return type == kMaskedInput || type == kResult; }

struct Case {
  const char* protocol;
  net::Direction direction;  ///< whose deviation: sent, the client's; received, the server's
  net::MessageType type;
  std::uint64_t bit;
  /// Where it is noticed whatever the secrets are.
  bool at_server;
};

TEST(DeviatingSession, EndsAtTheCheckOfWhoeverIsDeceived) {
  const auto& c = activation::kClientSends;
  const auto& s = activation::kServerSends;
  const std::uint64_t proof = 8 * mpc::pprf_bytes(mpc::kCotDigits, mpc::kCotFieldBits);
  const auto sent = net::Direction::sent, received = net::Direction::received;
  // The fault changes what an honest party sent, so that its own later messages do not fit, whatever it
  // guesses.
  const std::vector<Case> cases = {
      {"ot", sent, c.trees, 1234, true},            // a level's sum of a tree
      {"ot", sent, c.check.answer, 7, true},        // the answer about all trees
      {"ot", sent, c.base.answer, 100, true},       // the client has not its seeds
      {"ot", sent, s.base.columns, 77, true},       // columns of the mask
      {"ot", sent, s.base.check, 900, true},        // the check of the columns
      {"ot", sent, s.base.trees, proof + 9, true},  // the proof of the seeds
      {"ot", received, s.trees, 1234, false},
      {"ot", received, s.check.answer, 7, false},
      {"ot", received, c.base.check, 900, false},
      {"ot", received, c.base.trees, proof + 9, false},
      {"gc", received, activation::kCotCheck, 33, false},
      {"gc", received, activation::kCotTrees, proof + 9, false},
      {"gc", sent, activation::kCotAnswer, 1, true},
  };
  for (const std::string protocol : {"ot", "gc"}) {
    const package::Package package = label_package(protocol);
    EXPECT_TRUE(plan::has_label_bound(package.plan));
    const Outcome clean = run(package, std::nullopt);
    ASSERT_TRUE(clean.client_finished);
    EXPECT_EQ(clean.reported, 0);
    EXPECT_EQ(clean.inferences, 1);
    for (const Case& test : cases) {
      if (protocol != test.protocol) continue;
      SCOPED_TRACE(fmt::format("protocol {}, type {:#x}", protocol, test.type));
      const Outcome outcome = run(package, net::Fault{net::Fault::Kind::flip_bit, test.direction,
                                                      position(clean, test.direction, test.type), test.bit});
      EXPECT_FALSE(outcome.client_finished);
      // A client that deviates may take an inference for prepared until the server has looked; nobody else does.
      if (!test.at_server) {
        EXPECT_EQ(outcome.prepared, 0u);
      }
      EXPECT_EQ(outcome.client_status, 3);
      EXPECT_EQ(outcome.failed_at_server, test.at_server);
      EXPECT_EQ(outcome.failed_at_client, !test.at_server);
      EXPECT_EQ(outcome.reported, test.at_server ? 1 : 0);
      EXPECT_EQ(outcome.inferences, 0);
      for (const net::RecordedMessage& m : outcome.server_view) EXPECT_FALSE(is_online(m.type));
    }
  }
}

}  // namespace
}  // namespace ap::protocol
