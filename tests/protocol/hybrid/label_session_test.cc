// Packages that reveal the label alone: the client learns the best class and nothing else.
#include <gtest/gtest.h>

#include <thread>

#include "base/bits.h"
#include "base/error.h"
#include "net/channel/fault_channel.h"
#include "net/channel/recording_channel.h"
#include "nn/data/accuracy.h"
#include "nn/execute/integer_executor.h"
#include "package/package.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/simd_plan.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

package::Package label_package(std::uint8_t seed, const std::string& protocol, bool prime = false) {
  const nn::QuantisedNetwork network = test::small_network(seed);
  plan::Plan plan = plan::select_exact(network);
  if (prime) plan = test::simd_plan(network, plan);
  for (plan::ActivationChoice& choice : plan.activations) choice.protocol = protocol;
  plan.reveal = plan::Reveal::label;
  plan.argmax_protocol = protocol;
  return test::packaged(network, plan);
}

std::vector<std::int32_t> random_image(const nn::QNode& input, Prng& prng) {
  std::vector<std::int32_t> image(static_cast<std::size_t>(input.shape.size()));
  const auto values = static_cast<std::uint64_t>(input.high - input.low + 1);
  for (std::int32_t& v : image) {
    v = static_cast<std::int32_t>(input.low + static_cast<std::int64_t>(prng.next64() % values));
  }
  return image;
}

struct Outcome {
  SecretVector<std::int64_t> result;
  std::vector<net::RecordedMessage> client_view;
  std::vector<std::int64_t> logits;  ///< opened from both parties' shares, by the test alone
  Report report;
};

Outcome run(const package::Package& package, std::span<const std::int32_t> image,
            std::optional<net::Fault> fault = std::nullopt) {
  const ServerModel server_model(package);
  const Model model(nn::strip_weights(package.network), package.plan);
  auto [client_end, server_end] = net::make_local_channels();
  const auto last = static_cast<int>(package.network.nodes.size()) - 1;
  Share server_logits, client_logits;
  ServerOptions server_options;
  server_options.observer = [&](int node, ShareView s) {
    if (node == last) server_logits.assign(s.begin(), s.end());
  };
  std::thread server([&, channel = server_end.get()] {
    try {
      serve_session(server_model, *channel, server_options);
    } catch (const Error&) {
      channel->close();
    }
  });
  ClientOptions client_options;
  client_options.weak = WeakParameters::allow_for_tests;  // those modulo primes are
  client_options.observer = [&](int node, ShareView s) {
    if (node == last) client_logits.assign(s.begin(), s.end());
  };
  Outcome outcome;
  std::unique_ptr<net::Channel> inner = std::move(client_end);
  if (fault) inner = std::make_unique<net::FaultChannel>(std::move(inner), *fault);
  net::RecordingChannel recorded(std::move(inner), net::RecordingChannel::Keep::messages);
  try {
    ClientSession session(model, package.id, recorded, client_options);
    outcome.result = session.infer(image);
    outcome.report = session.report();
    session.finish();
  } catch (...) {
    recorded.close();
    server.join();
    throw;
  }
  server.join();
  outcome.client_view = recorded.messages();
  const ShareModulus& modulus = model.modulus(last);
  for (std::size_t i = 0; i < client_logits.size(); ++i) {
    outcome.logits.push_back(modulus.to_signed(modulus.add(server_logits[i], client_logits[i])));
  }
  return outcome;
}

void expect_label(const package::Package& package, std::span<const std::int32_t> image, bool exact) {
  const Outcome outcome = run(package, image);
  ASSERT_EQ(outcome.result.size(), 1U);
  // Exactly the best of the logits that were shared; and the clear network's, which differ by deviations that
  // policy exact makes rare.
  EXPECT_EQ(outcome.result[0], nn::argmax(std::span<const std::int64_t>(outcome.logits)));
  const std::vector<std::int32_t> clear = nn::integer_logits(package.network, image);
  if (exact || std::equal(clear.begin(), clear.end(), outcome.logits.begin())) {
    EXPECT_EQ(outcome.result[0], nn::argmax(std::span<const std::int32_t>(clear)));
  }
  // The server's only message that is not part of a layer is its share of the label, in one byte.
  std::size_t results = 0;
  for (const net::RecordedMessage& m : outcome.client_view) {
    if (m.type != kResult) continue;
    ++results;
    EXPECT_EQ(m.direction, net::Direction::received);
    EXPECT_EQ(m.payload.size(), packed_bytes(1, 4));
  }
  EXPECT_EQ(results, 1U);
  EXPECT_EQ(outcome.report.layers.back().op, "argmax");
  EXPECT_GT(outcome.report.layers.back().online.bytes_up, 0U);
}

TEST(LabelSession, BestClassByEveryProtocol) {
  Prng prng;
  for (const char* protocol : {"gc", "ot", "auto"}) {
    SCOPED_TRACE(protocol);
    for (const std::uint8_t seed : {1, 2}) {
      const package::Package package = label_package(seed, protocol);
      expect_label(package, random_image(package.network.nodes[0], prng), false);
    }
  }
}

TEST(LabelSession, BestClassModuloPrimes) {
  Prng prng;
  const package::Package package = label_package(3, "gc", true);
  ASSERT_NE(package.plan.primes.back(), 0U);
  for (int i = 0; i < 2; ++i) expect_label(package, random_image(package.network.nodes[0], prng), true);
}

/// Both parties must agree on what is revealed: it is part of the package id.
TEST(LabelSession, PackagesKeepWhatTheyReveal) {
  package::Package package = label_package(1, "ot");
  const package::Pair files = package::make_packages(package);
  const package::Package client = package::parse(files.client, "client.apm");
  EXPECT_EQ(client.plan.reveal, plan::Reveal::label);
  EXPECT_EQ(client.plan.argmax_protocol, "ot");
  package::Package open = package;
  open.plan.reveal = plan::Reveal::logits;
  open.plan.argmax_protocol.clear();
  EXPECT_NE(package::make_packages(open).id, files.id);
}

TEST(LabelSession, BadPlansAreRefused) {
  package::Package p = label_package(1, "gc", true);
  p.plan.argmax_protocol = "ot";
  EXPECT_THROW(plan::validate(p.plan, p.network), Error);
  p.plan.argmax_protocol = "other";
  EXPECT_THROW(plan::validate(p.plan, p.network), Error);
  p.plan.reveal = plan::Reveal::logits;
  p.plan.argmax_protocol = "gc";
  EXPECT_THROW(plan::validate(p.plan, p.network), Error);
}

/// A server that answers with a longer result (all logits, say).
TEST(LabelSession, LongerResultsAreRefused) {
  const package::Package package = label_package(1, "gc");
  Prng prng;
  const auto image = random_image(package.network.nodes[0], prng);
  const Outcome clean = run(package, image);
  std::size_t received = 0, at = 0;
  for (const net::RecordedMessage& m : clean.client_view) {
    if (m.direction != net::Direction::received) continue;
    if (m.type == kResult) at = received;
    ++received;
  }
  EXPECT_THROW(run(package, image, net::Fault{net::Fault::Kind::truncate, net::Direction::received, at, 1}),
               Error);
}

/// The server's end of a channel, for a server that adds to its share of every label.
class AddingChannel final : public net::Channel {
 public:
  AddingChannel(std::unique_ptr<net::Channel> inner, std::uint64_t added)
      : inner_(std::move(inner)), added_(added) {}
  void send(net::MessageType type, ByteView payload) override {
    if (type != kResult) return inner_->send(type, payload);
    inner_->send(type, Bytes{static_cast<std::uint8_t>((payload[0] + added_) % 16)});  // 10 classes in 4 bits
  }
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    return inner_->receive(type, min_bytes, max_bytes);
  }
  void set_deadline(std::chrono::milliseconds wait) override { inner_->set_deadline(wait); }
  void close() override { inner_->close(); }
  net::Traffic traffic() const override { return inner_->traffic(); }

 private:
  const std::unique_ptr<net::Channel> inner_;
  const std::uint64_t added_;
};

/// Whatever a deviating server adds to its share, and so whether the client opens a class or none: it sends
/// the same messages in the same order, two inferences to the end, and says goodbye.
TEST(LabelSession, NothingThatTheServerSeesDependsOnTheLabel) {
  const package::Package package = label_package(1, "gc");
  const ServerModel server_model(package);
  const Model model(nn::strip_weights(package.network), package.plan);
  Prng prng;
  const auto image = random_image(package.network.nodes[0], prng);
  const auto last = static_cast<int>(package.network.nodes.size()) - 1;
  std::vector<std::pair<net::MessageType, std::size_t>> first_view;
  for (std::uint64_t added = 0; added < 16; ++added) {
    auto [client_end, server_end] = net::make_local_channels();
    AddingChannel deviating(std::move(server_end), added);
    std::vector<Share> client_logits, server_logits;  // of each inference
    const auto keep_logits = [&](std::vector<Share>& to) {
      return [&to, last](int node, ShareView s) {
        if (node == last) to.emplace_back(s.begin(), s.end());
      };
    };
    ServerOptions server_options;
    server_options.observer = keep_logits(server_logits);
    bool ended_well = false;
    std::thread server([&] {
      try {
        serve_session(server_model, deviating, server_options);
        ended_well = true;
      } catch (const Error&) {
        deviating.close();
      }
    });
    net::RecordingChannel recorded(std::move(client_end), net::RecordingChannel::Keep::messages);
    ClientOptions client_options;
    client_options.observer = keep_logits(client_logits);
    std::vector<std::int64_t> labels;
    EXPECT_NO_THROW({
      ClientSession session(model, package.id, recorded, client_options);
      for (int i = 0; i < 2; ++i) labels.push_back(session.infer(image).at(0));
      session.finish();
    });
    recorded.close();
    server.join();
    EXPECT_TRUE(ended_well);
    std::vector<std::pair<net::MessageType, std::size_t>> view;
    for (const net::RecordedMessage& m : recorded.messages()) {
      if (m.direction == net::Direction::sent) view.emplace_back(m.type, m.payload.size());
    }
    if (added == 0) first_view = view;
    EXPECT_EQ(view, first_view);
    ASSERT_TRUE(labels.size() == 2 && client_logits.size() == 2 && server_logits.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<std::int64_t> logits;
      const ShareModulus& modulus = model.modulus(last);
      for (std::size_t k = 0; k < client_logits[i].size(); ++k) {
        logits.push_back(modulus.to_signed(modulus.add(server_logits[i][k], client_logits[i][k])));
      }
      const std::int64_t moved =
          (nn::argmax(std::span<const std::int64_t>(logits)) + static_cast<std::int64_t>(added)) % 16;
      EXPECT_EQ(labels[i], moved < 10 ? moved : kNoClass) << added;
    }
  }
}

}  // namespace
}  // namespace ap::protocol
