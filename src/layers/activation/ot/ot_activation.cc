#include "layers/activation/ot/ot_activation.h"

#include "base/bits.h"
#include "base/error.h"
#include "layers/activation/ot/ot_bits.h"
#include "layers/activation/ot/ot_messages.h"
#include "layers/activation/ot/product_step.h"

namespace ap::activation {
namespace {

std::uint64_t low_mask(int bits) { return ~std::uint64_t{0} >> (64 - bits); }

/// Takes the material out of its holder, which stays empty.
template <typename Material>
Material take(Material&& material) {
  if (material.empty()) {
    fail_security("the preprocessing of an activation layer serves once; prepare the layer again");
  }
  return std::move(material);
}

/// Of an argmax: this party's words with 2^(n - 1) added to the server's, which makes signed numbers
/// unsigned.
SecretVector<std::uint64_t> lift(const OtPlan& plan, std::span<const std::uint64_t> words, Party role) {
  SecretVector<std::uint64_t> lifted(words.begin(), words.end());
  if (role == Party::client) return lifted;
  const std::uint64_t half = std::uint64_t{1} << (plan.share_bits - 1);
  for (std::uint64_t& word : lifted) word = (word + half) & low_mask(plan.share_bits);
  return lifted;
}

/// .. and from the carries of the lifted words to shares of what is compared.
void add_numbers(const OtPlan& plan, std::span<const std::uint64_t> words, Party role,
                 std::span<std::uint64_t> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] += words[i] << plan.index_bits;
    if (role == Party::server) values[i] -= i;
    values[i] &= low_mask(plan.clamp.ring);
  }
}

/// One party's shares of the layer's results: all steps in turn, run_step(step, number, words, shares).
template <typename RunStep>
SecretVector<std::uint64_t> run_layer(const OtPlan& plan, std::span<const std::uint64_t> words, Party role,
                                      const RunStep& run_step) {
  SecretVector<std::uint64_t> values(words.size());
  const SecretVector<std::uint64_t> lifted =
      plan.index_bits > 0 ? lift(plan, words, role) : SecretVector<std::uint64_t>();
  if (plan.index_bits > 0) words = lifted;
  run_step(plan.clamp, 0, words, std::span<std::uint64_t>(values));
  if (plan.index_bits > 0) add_numbers(plan, words, role, values);
  const std::uint64_t mask = low_mask(plan.clamp.ring);
  SecretVector<std::uint64_t> differences;
  SecretVector<std::uint64_t> gains;
  for (std::size_t l = 0; l < plan.levels.size(); ++l) {
    const PoolLevel& level = plan.levels[l];
    differences.resize(level.pairs.size());
    gains.resize(level.pairs.size());
    for (std::size_t i = 0; i < level.pairs.size(); ++i) {
      differences[i] = (values[level.pairs[i].first] - values[level.pairs[i].second]) & mask;
    }
    run_step(level.step, l + 1, std::span<const std::uint64_t>(differences), std::span<std::uint64_t>(gains));
    for (std::size_t i = 0; i < level.pairs.size(); ++i) {
      values.push_back((values[level.pairs[i].second] + gains[i]) & mask);
    }
  }
  if (plan.results.empty()) return values;
  SecretVector<std::uint64_t> results;
  for (const std::uint32_t number : plan.results) results.push_back(values[number]);
  if (plan.index_bits > 0) results.front() = 0 - results.front();
  return results;
}

/// Of a table: from shares of the clamped value to shares of what the table has for it. run_step as above, its
/// steps numbered from 1; run_lookup(numbers, shares).
template <typename RunStep, typename RunLookup>
SecretVector<std::uint64_t> run_table(const TablePlan& plan, SecretVector<std::uint64_t> words, Party role,
                                      const RunStep& run_step, const RunLookup& run_lookup) {
  SecretVector<std::uint64_t> shares(words.size());
  const std::uint64_t half = std::uint64_t{1} << (plan.word_bits - 1);
  std::size_t number = 1;
  if (plan.relu) {
    // u = t + 2^(m - 1), which modulo 2^m is t with its highest bit turned.
    SecretVector<std::uint64_t> values = words;
    for (std::uint64_t& word : values) word = (word ^ (role == Party::server ? half : 0)) & (2 * half - 1);
    run_step(*plan.relu, number++, std::span<const std::uint64_t>(values), std::span<std::uint64_t>(shares));
    for (std::size_t i = 0; plan.even && i < words.size(); ++i)
      words[i] = (2 * shares[i] - values[i]) & (half - 1);
  }
  if (plan.carry) {
    const std::uint64_t inside = low_mask(plan.cell_bits);
    SecretVector<std::uint64_t> cells(words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      cells[i] = words[i] >> plan.cell_bits;
      words[i] = (words[i] & inside) | (role == Party::server ? inside + 1 : 0);
    }
    SecretVector<std::uint64_t> carries(words.size());
    run_step(*plan.carry, number, std::span<const std::uint64_t>(words), std::span<std::uint64_t>(carries));
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = cells[i] + carries[i];
  }
  run_lookup(std::span<const std::uint64_t>(words), std::span<std::uint64_t>(shares));
  return shares;
}

}  // namespace

OtActivationClient::OtActivationClient(net::Channel& channel, const SessionKey& session, Prng prng)
    : channel_(channel),
      prng_(std::move(prng)),
      sent_cots_(channel, kClientSends, session.part(kClientSendsPart), prng_),
      received_cots_(channel, kServerSends, session.part(kServerSendsPart), prng_),
      sent_(channel, sent_cots_),
      received_(channel, received_cots_) {}

void OtActivationClient::expect(const OtCost& cost) {
  sent_cots_.expect(cost.client_cots);
  received_cots_.expect(cost.server_cots);
}

OtClientPreprocessing OtActivationClient::prepare(const ActivationSpec& spec,
                                                  std::span<const std::uint64_t> b) {
  OtClientPreprocessing material = begin(std::make_shared<const OtPlan>(plan_ot_layer(spec)));
  complete(material, b);
  return material;
}

OtClientPreprocessing OtActivationClient::begin(std::shared_ptr<const OtPlan> plan) {
  OtClientPreprocessing material;
  material.plan_ = std::move(plan);
  material.plan_->for_steps(
      [&](const OtStep& step) { material.steps_.push_back(draw_client_received(step, received_)); });
  return material;
}

void OtActivationClient::complete(OtClientPreprocessing& material, std::span<const std::uint64_t> b) {
  const OtPlan& plan = *material.plan_;
  check_words("b before the online phase", b, plan.needs_words_offline() ? plan.arguments() : 0,
              plan.argument_bits());
  if (plan.square) material.square_ = prepare_square_client(channel_, *plan.square, b, sent_);
  if (plan.product) material.square_ = prepare_product_client(channel_, *plan.product, plan.inputs, b, sent_);
  std::size_t at = 0;
  plan.for_steps([&](const OtStep& step) { draw_client_sent(step, sent_, material.steps_[at++]); });
  if (plan.table) material.lookup_ = prepare_client_lookup(plan.table->lookup, sent_);
}

void OtActivationClient::finish() {
  received_cots_.open_check(channel_);
  sent_cots_.answer_check(channel_);
  received_cots_.close_check(channel_);
}

void OtActivationClient::run(net::Channel& channel, OtClientPreprocessing&& material,
                             std::span<const std::uint64_t> b, std::span<const std::uint64_t> masks) {
  const OtClientPreprocessing used = take(std::move(material));
  const OtPlan& plan = *used.plan_;
  check_words("b", b, plan.needs_words_offline() ? 0 : plan.inputs, plan.share_bits);
  check_words("r", masks, plan.outputs(), plan.out_bits);
  SecretVector<std::uint64_t> value;
  if (plan.product) value = run_product_client(channel, *plan.product, plan.inputs, used.square_);
  if (plan.square) {
    value = run_square_client(channel, *plan.square, used.square_);
    if (plan.carry) {
      const SecretVector<std::uint64_t> words = client_carry_words(*plan.square, used.square_);
      SecretVector<std::uint64_t> change(words.size());
      run_client_step(channel, *plan.carry, used.steps_.back(), words, change);
      for (std::size_t i = 0; i < change.size(); ++i) value[i] += change[i];
    }
    for (std::uint64_t& v : value) v = without_dropped(*plan.square, v);
  }
  const auto run_step = [&](const OtStep& step, std::size_t number, std::span<const std::uint64_t> words,
                            std::span<std::uint64_t> out) {
    run_client_step(channel, step, used.steps_[number], words, out);
  };
  SecretVector<std::uint64_t> shares = run_layer(
      plan, plan.needs_words_offline() ? std::span<const std::uint64_t>(value) : b, Party::client, run_step);
  if (plan.table) {
    shares = run_table(*plan.table, std::move(shares), Party::client, run_step,
                       [&](std::span<const std::uint64_t> numbers, std::span<std::uint64_t> out) {
                         run_client_lookup(channel, plan.table->lookup, used.lookup_, numbers, out);
                       });
  }
  for (std::size_t i = 0; i < shares.size(); ++i)
    shares[i] = (shares[i] - masks[i]) & low_mask(plan.out_bits);
  Bytes message(packed_bytes(shares.size(), plan.out_bits));
  pack_bits(shares, plan.out_bits, message);
  channel.send(kOtCorrection, message);
}

OtActivationServer::OtActivationServer(net::Channel& channel, const SessionKey& session, Prng prng)
    : channel_(channel),
      prng_(std::move(prng)),
      received_cots_(channel, kClientSends, session.part(kClientSendsPart), prng_),
      sent_cots_(channel, kServerSends, session.part(kServerSendsPart), prng_),
      received_(channel, received_cots_),
      sent_(channel, sent_cots_) {}

void OtActivationServer::expect(const OtCost& cost) {
  received_cots_.expect(cost.client_cots);
  sent_cots_.expect(cost.server_cots);
}

OtServerPreprocessing OtActivationServer::prepare(const ActivationSpec& spec) {
  OtServerPreprocessing material = begin(std::make_shared<const OtPlan>(plan_ot_layer(spec)));
  complete(material);
  return material;
}

OtServerPreprocessing OtActivationServer::begin(std::shared_ptr<const OtPlan> plan) {
  OtServerPreprocessing material;
  material.plan_ = std::move(plan);
  material.plan_->for_steps(
      [&](const OtStep& step) { material.steps_.push_back(draw_server_sent(step, sent_)); });
  return material;
}

void OtActivationServer::complete(OtServerPreprocessing& material) {
  const OtPlan& plan = *material.plan_;
  if (plan.square) material.square_ = prepare_square_server(channel_, *plan.square, plan.inputs, received_);
  if (plan.product)
    material.square_ = prepare_product_server(channel_, *plan.product, plan.inputs, received_);
  std::size_t at = 0;
  plan.for_steps([&](const OtStep& step) { draw_server_received(step, received_, material.steps_[at++]); });
  if (plan.table) material.lookup_ = prepare_server_lookup(plan.table->lookup, received_);
}

void OtActivationServer::finish() {
  received_cots_.open_check(channel_);
  sent_cots_.answer_check(channel_);
  received_cots_.close_check(channel_);
}

std::vector<std::uint64_t> OtActivationServer::run(net::Channel& channel, OtServerPreprocessing&& material,
                                                   std::span<const std::uint64_t> a) {
  const OtServerPreprocessing used = take(std::move(material));
  const OtPlan& plan = *used.plan_;
  check_words("a", a, plan.arguments(), plan.argument_bits());
  SecretVector<std::uint64_t> value;
  if (plan.product) value = run_product_server(channel, *plan.product, plan.inputs, used.square_, a);
  if (plan.square) {
    value = run_square_server(channel, *plan.square, used.square_, a);
    if (plan.carry) {
      const SecretVector<std::uint64_t> words = server_carry_words(*plan.square, a);
      SecretVector<std::uint64_t> change(words.size());
      run_server_step(channel, *plan.carry, used.steps_.back(), words, change);
      for (std::size_t i = 0; i < change.size(); ++i) value[i] += change[i];
    }
    for (std::uint64_t& v : value) v = without_dropped(*plan.square, v);
  }
  const auto run_step = [&](const OtStep& step, std::size_t number, std::span<const std::uint64_t> words,
                            std::span<std::uint64_t> out) {
    run_server_step(channel, step, used.steps_[number], words, out);
  };
  SecretVector<std::uint64_t> shares = run_layer(
      plan, plan.needs_words_offline() ? std::span<const std::uint64_t>(value) : a, Party::server, run_step);
  if (plan.table) {
    shares = run_table(*plan.table, std::move(shares), Party::server, run_step,
                       [&](std::span<const std::uint64_t> numbers, std::span<std::uint64_t> out) {
                         run_server_lookup(channel, plan.table->lookup, used.lookup_, numbers, out);
                       });
  }
  const Bytes message = channel.receive_exactly(kOtCorrection, packed_bytes(shares.size(), plan.out_bits));
  std::vector<std::uint64_t> results(shares.size());
  unpack_bits(message, plan.out_bits, results);
  for (std::size_t i = 0; i < shares.size(); ++i)
    results[i] = (results[i] + shares[i]) & low_mask(plan.out_bits);
  return results;
}

}  // namespace ap::activation
