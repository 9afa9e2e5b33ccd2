// The two activation protocols, over a channel inside this process: both parties run in turn on one thread
// wherever their messages allow it, so that the clock of the process tells them apart.
#include <thread>

#include "analysis/profile/measure.h"
#include "base/error.h"
#include "layers/activation/gc/activation_evaluator.h"
#include "layers/activation/gc/activation_garbler.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/ot/ot_activation.h"
#include "layers/activation/ot/ot_messages.h"
#include "layers/activation/ot/ot_plan.h"
#include "mpc/ot/random_ot.h"
#include "net/channel/channel.h"

namespace ap::cost {
namespace {

using activation::ActivationSpec;
using mpc::Block;

constexpr std::size_t kElements = 8192;
constexpr int kFewGuardBits = 1, kManyGuardBits = 9;
constexpr int kRepeats = 9;
// All layers of a network are garbled before the first is evaluated, so that no cache holds their tables.
constexpr int kLayers = 12, kGarblingRepeats = 4;

/// Runs both at once; returns the processor seconds of each thread.
template <typename Client, typename Server>
std::pair<double, double> at_once(const Client& client, const Server& server) {
  double client_s = 0, server_s = 0;
  std::exception_ptr failure;
  std::thread other([&] {
    try {
      const double before = thread_seconds();
      server();
      server_s = thread_seconds() - before;
    } catch (...) {
      failure = std::current_exception();
    }
  });
  const double before = thread_seconds();
  client();
  client_s = thread_seconds() - before;
  other.join();
  if (failure) std::rethrow_exception(failure);
  return {client_s, server_s};
}

/// Two upper bits: a table of eight rows, as layer_cost.cc assumes.
ActivationSpec spec_with(int guard_bits) {
  ActivationSpec spec;
  spec.inputs = spec.outputs = kElements;
  spec.sum_bits = 10;
  spec.guard_bits = guard_bits;
  spec.clamp_bits = 8;
  spec.out_bits = 20;
  return spec;
}

std::vector<std::uint64_t> words_of(int bits, std::size_t count) {
  Prng prng;
  std::vector<std::uint64_t> words(count);
  sample_bits(prng, bits, words);
  return words;
}

struct GarblingTimes {
  double columns = 0, garble = 0, request = 0, answer = 0, evaluate = 0;
};

GarblingTimes time_garbling(activation::ActivationGarbler& client, activation::ActivationEvaluator& server,
                            const ActivationSpec& spec) {
  const auto a = words_of(spec.share_bits(), spec.inputs), b = words_of(spec.share_bits(), spec.inputs);
  const auto masks = words_of(spec.out_bits, spec.outputs);
  Samples columns, garble, request, answer, evaluate;
  for (int i = 0; i < kGarblingRepeats; ++i) {
    double at = process_seconds();
    const auto lap = [&at] {
      const double now = process_seconds();
      return (now - std::exchange(at, now)) / kLayers;
    };
    std::vector<activation::PreparedChoices> choices;
    std::vector<activation::GarblerPreprocessing> garblers;
    std::vector<activation::EvaluatorPreprocessing> evaluators;
    for (int layer = 0; layer < kLayers; ++layer) choices.push_back(server.prepare(spec));
    columns.add(lap());
    for (int layer = 0; layer < kLayers; ++layer) garblers.push_back(client.garble(spec, b, masks));
    garble.add(lap());
    for (auto& layer : choices) evaluators.push_back(server.receive_tables(std::move(layer)));
    lap();
    for (auto& layer : evaluators) server.request(layer, a);
    request.add(lap());
    for (auto& layer : garblers) client.answer(std::move(layer));
    answer.add(lap());
    for (auto& layer : evaluators) server.evaluate(std::move(layer));
    evaluate.add(lap());
  }
  return {columns.figure(), garble.figure(), request.figure(), answer.figure(), evaluate.figure()};
}

constexpr mpc::CotMessages kColumns{{0x0001, 0x0002}, 0x0003, 0x0004, 0x0005, 0x0006};

/// Seconds of a transfer by extension at its sender.
double time_columns(Profile& profile) {
  constexpr std::size_t kCount = std::size_t{1} << 17;
  auto [client_channel, server_channel] = net::make_local_channels();
  Prng client_prng, server_prng;
  std::unique_ptr<mpc::CotSender> sender;
  std::unique_ptr<mpc::CotReceiver> receiver;
  const auto [at_sender, at_receiver] = at_once(
      [&, &channel = client_channel] {
        sender = std::make_unique<mpc::CotSender>(*channel, kColumns, client_prng);
      },
      [&, &channel = server_channel] {
        receiver = std::make_unique<mpc::CotReceiver>(*channel, kColumns, server_prng);
      });
  // The sender of an extension receives the base OTs.
  profile.base_receiver = at_sender;
  profile.base_sender = at_receiver;
  SecretVector<Block> q(kCount), t(kCount);
  const Bytes choices(kCount / 8, 0x5a);
  Samples samples;
  for (int i = 0; i < kRepeats; ++i) {
    receiver->extend(*server_channel, choices, t);
    const double before = process_seconds();
    sender->extend(*client_channel, q);
    samples.add(process_seconds() - before);
  }
  return samples.figure() / kCount;
}

/// Both ends of one direction of silent OTs and what hashes them.
struct Direction {
  explicit Direction(std::uint64_t expected) {
    std::tie(sender_channel, receiver_channel) = net::make_local_channels();
    const auto seconds = at_once(
        [&] {
          sender = std::make_unique<mpc::SilentCotSender>(*sender_channel, activation::kClientSends,
                                                          SessionKey(), prng[0]);
          sender->expect(expected);
          Block one;
          sender->extend(*sender_channel, {&one, 1});
        },
        [&] {
          receiver = std::make_unique<mpc::SilentCotReceiver>(*receiver_channel, activation::kClientSends,
                                                              SessionKey(), prng[1]);
          receiver->expect(expected);
          Block one;
          receiver->extend(*receiver_channel, {&one, 1});
        });
    static_cast<void>(seconds);
    sent = std::make_unique<mpc::RandomOtSender>(*sender_channel, *sender);
    received = std::make_unique<mpc::RandomOtReceiver>(*receiver_channel, *receiver);
  }
  std::unique_ptr<net::Channel> sender_channel, receiver_channel;
  Prng prng[2];
  std::unique_ptr<mpc::SilentCotSender> sender;
  std::unique_ptr<mpc::SilentCotReceiver> receiver;
  std::unique_ptr<mpc::RandomOtSender> sent;
  std::unique_ptr<mpc::RandomOtReceiver> received;
};

/// Process seconds for each of `count` transfers at the sender and the receiver, which run in turn.
template <typename Send, typename Receive>
std::pair<double, double> time_pair(std::size_t count, const Send& send, const Receive& receive) {
  Samples sending, receiving;
  for (int i = 0; i < kRepeats; ++i) {
    double before = process_seconds();
    send();
    sending.add(process_seconds() - before);
    before = process_seconds();
    receive();
    receiving.add(process_seconds() - before);
  }
  const auto each = static_cast<double>(count);
  return {sending.figure() / each, receiving.figure() / each};
}

std::pair<double, double> time_rows(Direction& d, const mpc::LpnParameters& set) {
  // Whole messages of trees, so that each draw makes as many rows as it takes; in pieces, as they are used.
  constexpr std::size_t kPiece = 2048;
  const std::size_t pieces = 2 * mpc::kTreesPerMessage * set.bin() / kPiece;
  SecretVector<Block> out(kPiece);
  return time_pair(
      pieces * kPiece,
      [&] {
        for (std::size_t i = 0; i < pieces; ++i) d.sender->extend(*d.sender_channel, out);
      },
      [&] {
        for (std::size_t i = 0; i < pieces; ++i) d.receiver->extend(*d.receiver_channel, out);
      });
}

/// Online steps of a layer: the seconds of each party's thread.
std::pair<double, double> time_online(activation::OtActivationClient& client,
                                      activation::OtActivationServer& server, const ActivationSpec& spec) {
  const auto a = words_of(spec.share_bits(), spec.inputs), b = words_of(spec.share_bits(), spec.inputs);
  const auto masks = words_of(spec.out_bits, spec.outputs);
  Samples at_client, at_server;
  for (int i = 0; i < kRepeats; ++i) {
    activation::OtClientPreprocessing mine;
    activation::OtServerPreprocessing theirs;
    at_once([&] { mine = client.prepare(spec); }, [&] { theirs = server.prepare(spec); });
    const auto [c, s] =
        at_once([&] { client.run(std::move(mine), b, masks); }, [&] { server.run(std::move(theirs), a); });
    at_client.add(c);
    at_server.add(s);
  }
  return {at_client.figure(), at_server.figure()};
}

/// The words and bits of a layer's steps, as layer_cost.cc counts them.
std::pair<double, double> words_and_bits(const ActivationSpec& spec) {
  const activation::OtPlan plan = activation::plan_ot_layer(spec);
  const activation::ComparisonProgram& program = plan.clamp.program;
  const auto padded = static_cast<double>(mpc::tiles_of(plan.clamp.count) * mpc::kTile);
  double transferred = 0;
  for (const activation::BitTerm& term : plan.clamp.terms) transferred += term.width > 0;
  return {padded * (2 + transferred),
          padded * static_cast<double>(program.leaf_choice_bits() + program.leaf_message_bits() +
                                       program.opened_bits())};
}

/// x words + y bits = seconds, for two layers; neither price below zero.
std::pair<double, double> solve(std::pair<double, double> few, double few_s, std::pair<double, double> many,
                                double many_s) {
  const double determinant = few.first * many.second - many.first * few.second;
  const double word = (few_s * many.second - many_s * few.second) / determinant;
  const double bit = (few.first * many_s - many.first * few_s) / determinant;
  if (bit < 0) return {many_s / many.first, 0};
  if (word < 0) return {0, many_s / many.second};
  return {word, bit};
}

}  // namespace

void measure_garbling(Profile& profile) {
  const double columns_client = time_columns(profile);
  auto [client_channel, server_channel] = net::make_local_channels();
  std::unique_ptr<activation::ActivationGarbler> client;
  std::unique_ptr<activation::ActivationEvaluator> server;
  at_once(
      [&, &channel = client_channel] {
        client = std::make_unique<activation::ActivationGarbler>(*channel, SessionKey());
      },
      [&, &channel = server_channel] {
        server = std::make_unique<activation::ActivationEvaluator>(*channel, SessionKey());
      });
  const ActivationSpec few = spec_with(kFewGuardBits), many = spec_with(kManyGuardBits);
  const GarblingTimes a = time_garbling(*client, *server, few);
  const GarblingTimes b = time_garbling(*client, *server, many);
  const double elements = kElements;
  const double bits = elements * few.share_bits(), all_bits = elements * many.share_bits();
  const double more = all_bits - bits;
  const auto ands = static_cast<double>(activation::and_gates(few));
  GarblingCosts& g = profile.garbling;
  g.columns_bit_client = columns_client;
  g.columns_bit_server = b.columns / all_bits;
  g.answer_bit = b.answer / all_bits;
  g.request_bit = b.request / all_bits;
  // One more guard bit is one more bit and one more gate. Labels take a known part of it: they are drawn and
  // stored like shares.
  const auto split = [&](double few_s, double many_s, double& element, double& bit, double& gate) {
    const double slope = std::max(0.0, (many_s - few_s) / more);
    bit = std::min(0.3 * slope, slope);
    gate = slope - bit;
    element = std::max(0.0, (few_s - bits * bit - ands * gate) / elements);
  };
  split(a.garble - bits * columns_client, b.garble - all_bits * columns_client, g.garble_element,
        g.garble_bit, g.garble_and);
  split(a.evaluate, b.evaluate, g.evaluate_element, g.evaluate_bit, g.evaluate_and);
}

void measure_ot(Profile& profile) {
  OtCosts& t = profile.ot;
  {
    Direction small(0);
    std::tie(t.small_row_sender, t.small_row_receiver) = time_rows(small, mpc::kSmallLpn);
  }
  Direction large(std::uint64_t{1} << 30);
  std::tie(t.large_row_sender, t.large_row_receiver) = time_rows(large, mpc::kLargeLpn);

  // Each run takes as many transfers as one message of trees gives.
  constexpr std::size_t kTiles = (mpc::kTreesPerMessage << mpc::kLargeLpn.bin_bits) / mpc::kTile;
  constexpr std::size_t kTableTiles = kTiles / 4;
  constexpr std::size_t kInstances = kTiles * mpc::kTile;
  const auto less_rows = [&](std::pair<double, double> all, double& sender, double& receiver) {
    sender = std::max(0.0, all.first - t.large_row_sender);
    receiver = std::max(0.0, all.second - t.large_row_receiver);
  };
  SecretVector<Block> d(8 * kTiles), shares(8 * kTiles);
  const auto part = [](SecretVector<Block>& v, std::size_t count) { return std::span(v).first(count); };
  less_rows(time_pair(
                kInstances, [&] { large.sent->tables(4, 2, kTableTiles, part(d, 32 * kTableTiles)); },
                [&] {
                  large.received->tables(4, 2, kTableTiles, part(d, 4 * kTableTiles),
                                         part(shares, 2 * kTableTiles));
                }),
            t.table_sender, t.table_receiver);
  less_rows(
      time_pair(
          kInstances, [&] { large.sent->bits(2, kTiles, part(d, 2 * kTiles), part(shares, 2 * kTiles)); },
          [&] { large.received->bits(2, kTiles, part(d, kTiles), part(shares, 2 * kTiles)); }),
      t.bit_sender, t.bit_receiver);
  SecretVector<std::uint32_t> words(kInstances), products(kInstances);
  less_rows(time_pair(
                kInstances, [&] { large.sent->words(20, std::span(words), std::span(products)); },
                [&] { large.received->words(20, part(d, kTiles), std::span(products)); }),
            t.word_sender, t.word_receiver);

  auto [client_channel, server_channel] = net::make_local_channels();
  std::unique_ptr<activation::OtActivationClient> client;
  std::unique_ptr<activation::OtActivationServer> server;
  at_once(
      [&, &channel = client_channel] {
        client = std::make_unique<activation::OtActivationClient>(*channel, SessionKey());
      },
      [&, &channel = server_channel] {
        server = std::make_unique<activation::OtActivationServer>(*channel, SessionKey());
      });
  const ActivationSpec few = spec_with(kFewGuardBits), many = spec_with(kManyGuardBits);
  const auto a = time_online(*client, *server, few);
  const auto b = time_online(*client, *server, many);
  const auto few_counts = words_and_bits(few), many_counts = words_and_bits(many);
  std::tie(t.online_element_client, t.online_bit_client) = solve(few_counts, a.first, many_counts, b.first);
  std::tie(t.online_element_server, t.online_bit_server) = solve(few_counts, a.second, many_counts, b.second);
}

}  // namespace ap::cost
