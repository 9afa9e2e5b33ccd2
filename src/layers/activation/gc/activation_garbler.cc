#include "layers/activation/gc/activation_garbler.h"

#include <utility>

#include "base/error.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/layer_plan.h"
#include "layers/activation/gc/messages.h"
#include "layers/activation/gc/prime_sum.h"
#include "mpc/garble/garble.h"

namespace ap::activation {

using mpc::Block;

ActivationGarbler::ActivationGarbler(net::Channel& channel, const SessionKey& session, Prng prng)
    : channel_(channel),
      prng_(std::move(prng)),
      keys_(session.part(kGarblingPart)),
      cots_(channel, kLabelTransfers, prng_) {}

GarblerPreprocessing ActivationGarbler::garble(const ActivationSpec& spec, std::span<const std::uint64_t> b,
                                               std::span<const std::uint64_t> masks) {
  spec.validate();
  check_words("the client's share b", b, spec.inputs, spec.share_bits(), spec.in_prime);
  check_words("the output mask r", masks, spec.outputs, spec.out_bits, spec.out_prime);
  const LayerPlan plan = plan_layer(spec);
  const auto bits = static_cast<std::size_t>(spec.share_bits());
  const Block& delta = cots_.delta();

  GarblerPreprocessing material;
  material.spec_ = spec;
  material.delta_.push_back(delta);
  material.masked_.resize(spec.inputs * bits);
  cots_.extend(channel_, material.masked_);

  // Stage 1: every input element. Unless they are joined that is all.
  SecretVector<Block> sums(spec.inputs * plan.first.outputs.size());
  for_batches(spec.inputs, plan.first_batch, [&](std::size_t first, std::size_t count) {
    SecretVector<Block> labels(count * bits);
    prng_.fill(std::span(reinterpret_cast<std::uint8_t*>(labels.data()), labels.size() * sizeof(Block)));
    Block* masked = &material.masked_[first * bits];
    for (std::size_t i = 0; i < labels.size(); ++i) masked[i] ^= labels[i];
    const std::size_t width = plan.first.outputs.size();
    Bytes tables(plan.first.garbled_bytes(count));
    std::span<const std::uint64_t> known = b.subspan(first, count);
    SecretVector<std::uint64_t> words;
    if (spec.in_prime != 0) {
      words = prime_sum_knowns(spec.in_prime, known);
      known = words;
    }
    mpc::garble(plan.first, keys_, delta, tweak_, count, labels, known,
                spec.joined() ? std::span<const std::uint64_t>() : masks.subspan(first, count),
                std::span(sums).subspan(first * width, count * width), tables);
    tweak_ += plan.first.tweaks() * count;
    channel_.send(kGarbledTables, tables);
  });
  if (!spec.joined()) return material;

  // Stages 2 and 3: fold each window, then clamp and mask its maximum, or only mask the number of the
  // largest.
  for_batches(spec.outputs, plan.window_batch, [&](std::size_t first, std::size_t count) {
    Bytes tables(plan.window_bytes(spec, count));
    std::span<std::uint8_t> rest(tables);
    const std::size_t fold_bytes = plan.max.garbled_bytes(count);
    const auto maxima =
        fold_windows(spec, sums, first, count, [&](std::span<const Block> pairs, std::span<Block> out) {
          mpc::garble(plan.max, keys_, delta, tweak_, count, pairs, {}, {}, out, rest.first(fold_bytes));
          rest = rest.subspan(fold_bytes);
          tweak_ += plan.max.tweaks() * count;
        });
    mpc::garble(plan.last, keys_, delta, tweak_, count, maxima, {}, masks.subspan(first, count), {}, rest);
    tweak_ += plan.last.tweaks() * count;
    channel_.send(kGarbledTables, tables);
  });
  return material;
}

void ActivationGarbler::answer(net::Channel& channel, GarblerPreprocessing&& used) {
  const GarblerPreprocessing material = std::move(used);
  if (material.empty()) {
    fail_security("the garbled circuits of this layer were used before; prepare the inference again");
  }
  const ActivationSpec& spec = material.spec_;
  const auto bits = static_cast<std::size_t>(spec.share_bits());
  const Bytes choices = channel.receive_exactly(kInputChoices, choice_bytes(spec));
  for_batches(spec.inputs, plan_layer(spec).first_batch, [&](std::size_t first, std::size_t count) {
    Bytes answers(count * bits * sizeof(Block));
    for (std::size_t i = 0; i < count * bits; ++i) {
      const std::size_t at = first * bits + i;
      const Block offset = mpc::mask_of((choices[at / 8] >> (at % 8)) & 1) & material.delta_.front();
      mpc::store_block(&answers[16 * i], material.masked_[at] ^ offset);
    }
    channel.send(kInputLabels, answers);
  });
}

void GarblerPreprocessing::save(SecretWriter& out) const {
  if (empty()) fail_security("the garbled circuits of this layer were used before; they cannot be stored");
  out.array(delta_);
  out.array(masked_);
}

GarblerPreprocessing GarblerPreprocessing::restore(const ActivationSpec& spec, ByteReader& in) {
  spec.validate();
  GarblerPreprocessing material;
  material.spec_ = spec;
  material.delta_ = read_array<SecretVector<Block>>(in, 1);
  material.masked_ =
      read_array<SecretVector<Block>>(in, spec.inputs * static_cast<std::size_t>(spec.share_bits()));
  return material;
}

}  // namespace ap::activation
