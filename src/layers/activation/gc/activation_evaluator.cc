#include "layers/activation/gc/activation_evaluator.h"

#include <utility>

#include "base/bits.h"
#include "base/error.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/layer_plan.h"
#include "layers/activation/gc/messages.h"
#include "mpc/garble/garble.h"

namespace ap::activation {

using mpc::Block;

namespace {

/// Sizes of the messages with the layer's tables, in their order.
std::vector<std::size_t> table_message_bytes(const ActivationSpec& spec) {
  const LayerPlan plan = plan_layer(spec);
  std::vector<std::size_t> sizes;
  for_batches(spec.inputs, plan.first_batch,
              [&](std::size_t, std::size_t count) { sizes.push_back(plan.first.garbled_bytes(count)); });
  if (spec.joined()) {
    for_batches(spec.outputs, plan.window_batch,
                [&](std::size_t, std::size_t count) { sizes.push_back(plan.window_bytes(spec, count)); });
  }
  return sizes;
}

}  // namespace

ActivationEvaluator::ActivationEvaluator(net::Channel& channel, const SessionKey& session, Prng prng)
    : channel_(channel),
      prng_(std::move(prng)),
      keys_(session.part(kGarblingPart)),
      cots_(channel, kLabelTransfers, prng_) {}

PreparedChoices ActivationEvaluator::prepare(const ActivationSpec& spec) {
  spec.validate();
  PreparedChoices prepared;
  prepared.spec_ = spec;
  prepared.choices_.resize(choice_bytes(spec));
  prng_.fill(std::span<std::uint8_t>(prepared.choices_));
  prepared.pads_.resize(spec.inputs * static_cast<std::size_t>(spec.share_bits()));
  cots_.extend(channel_, prepared.choices_, prepared.pads_);
  prepared.hash_key_ = keys_.key();
  prepared.tweak_ = tweak_;
  prepared.number_ = prepared_++;
  tweak_ += plan_layer(spec).tweaks;
  return prepared;
}

EvaluatorPreprocessing ActivationEvaluator::receive_tables(PreparedChoices&& prepared) {
  EvaluatorPreprocessing material;
  material.prepared_ = std::move(prepared);
  const ActivationSpec& spec = material.prepared_.spec_;
  AP_ASSERT(!material.prepared_.choices_.empty());
  AP_ASSERT(material.prepared_.number_ == received_);
  ++received_;
  for (const std::size_t bytes : table_message_bytes(spec))
    material.tables_.push_back(channel_.receive_exactly(kGarbledTables, bytes));
  return material;
}

void ActivationEvaluator::request(net::Channel& channel, EvaluatorPreprocessing& material,
                                  std::span<const std::uint64_t> a) {
  PreparedChoices& prepared = material.prepared_;
  if (material.empty() || prepared.choices_.empty()) {
    fail_security("the garbled circuits of this layer were used before; prepare the inference again");
  }
  const ActivationSpec& spec = prepared.spec_;
  check_words("the server's share a", a, spec.inputs, spec.share_bits(), spec.in_prime);
  const SecretVector<std::uint8_t> choices = std::exchange(prepared.choices_, {});
  Bytes masked(choices.size());
  pack_bits(a, spec.share_bits(), masked);
  for (std::size_t i = 0; i < masked.size(); ++i)
    masked[i] = static_cast<std::uint8_t>(masked[i] ^ choices[i]);
  material.share_.assign(a.begin(), a.end());
  channel.send(kInputChoices, masked);
}

std::vector<std::uint64_t> ActivationEvaluator::evaluate(net::Channel& channel,
                                                         EvaluatorPreprocessing&& used) {
  EvaluatorPreprocessing material = std::move(used);
  if (material.empty() || !material.prepared_.choices_.empty()) {
    fail_security(
        "the garbled circuits of this layer must serve one request and one evaluation, in this order");
  }
  const ActivationSpec& spec = material.prepared_.spec_;
  const LayerPlan plan = plan_layer(spec);
  const auto bits = static_cast<std::size_t>(spec.share_bits());
  const mpc::HashKeys keys(material.prepared_.hash_key_);
  std::uint64_t tweak = material.prepared_.tweak_;
  std::size_t message = 0;
  std::vector<std::uint64_t> words(spec.outputs);
  SecretVector<Block> sums(spec.inputs * plan.first.outputs.size());

  for_batches(spec.inputs, plan.first_batch, [&](std::size_t first, std::size_t count) {
    const Bytes answers = channel.receive_exactly(kInputLabels, count * bits * sizeof(Block));
    const auto labels = std::span(material.prepared_.pads_).subspan(first * bits, count * bits);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] ^= mpc::load_block(&answers[16 * i]);
    const std::size_t width = plan.first.outputs.size();
    const auto share = std::span<const std::uint64_t>(material.share_).subspan(first, count);
    mpc::evaluate(plan.first, keys, tweak, count, labels, plan.first.has_clamp() ? share : share.first(0),
                  material.tables_[message++], std::span(sums).subspan(first * width, count * width),
                  spec.joined() ? std::span<std::uint64_t>() : std::span(words).subspan(first, count));
    tweak += plan.first.tweaks() * count;
  });
  if (!spec.joined()) return words;

  for_batches(spec.outputs, plan.window_batch, [&](std::size_t first, std::size_t count) {
    std::span<const std::uint8_t> rest(material.tables_[message++]);
    const std::size_t fold_bytes = plan.max.garbled_bytes(count);
    const auto maxima =
        fold_windows(spec, sums, first, count, [&](std::span<const Block> pairs, std::span<Block> out) {
          mpc::evaluate(plan.max, keys, tweak, count, pairs, {}, rest.first(fold_bytes), out, {});
          rest = rest.subspan(fold_bytes);
          tweak += plan.max.tweaks() * count;
        });
    mpc::evaluate(plan.last, keys, tweak, count, maxima, {}, rest, {},
                  std::span(words).subspan(first, count));
    tweak += plan.last.tweaks() * count;
  });
  return words;
}

void EvaluatorPreprocessing::save(SecretWriter& out) const {
  if (empty() || prepared_.choices_.empty()) {
    fail_security("the garbled circuits of this layer were used before; they cannot be stored");
  }
  out.array(std::span<const Block>(&prepared_.hash_key_, 1));
  out.u64(prepared_.tweak_);
  out.array(prepared_.choices_);
  out.array(prepared_.pads_);
  for (const Bytes& table : tables_) out.array(table);
}

EvaluatorPreprocessing EvaluatorPreprocessing::restore(const ActivationSpec& spec, ByteReader& in) {
  spec.validate();
  EvaluatorPreprocessing material;
  PreparedChoices& prepared = material.prepared_;
  prepared.spec_ = spec;
  prepared.hash_key_ = mpc::load_block(in.raw(sizeof(Block)).data());
  prepared.tweak_ = in.u64();
  prepared.choices_ = read_array<SecretVector<std::uint8_t>>(in, choice_bytes(spec));
  prepared.pads_ =
      read_array<SecretVector<Block>>(in, spec.inputs * static_cast<std::size_t>(spec.share_bits()));
  for (const std::size_t bytes : table_message_bytes(spec))
    material.tables_.push_back(read_array<Bytes>(in, bytes));
  return material;
}

}  // namespace ap::activation
