#include "layers/activation/ot/step_preprocessing.h"

#include "layers/activation/ot/material_arrays.h"
#include "layers/activation/ot/ot_activation.h"

namespace ap::activation {
namespace {

using Blocks = SecretVector<mpc::Block>;
using Words = SecretVector<std::uint64_t>;

// body(array, size) for every array of a step's material in the order of the file. Lists have their length
// already.

template <typename Material, typename Body>
void triples_of(Material& material, const OtStep& step, const Body& body) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  for (std::size_t i = 0; i < step.program.ands.size(); ++i) {
    const std::size_t blocks = step.program.ands[i].y.size() * tiles;
    body(material.triples[i].a, tiles);
    body(material.triples[i].b, blocks);
    body(material.triples[i].products, blocks);
  }
}

template <typename Body>
void side_of(BitSide& side, std::size_t count, int width, const Body& body) {
  body(side.choices, mpc::tiles_of(count));
  body(side.shares, count, width);
}
template <typename Body>
void side_of(WordSide& side, std::size_t count, int width, const Body& body) {
  body(side.d, count, width);
  body(side.shares, count, width);
}

void save(const BitSide& side, SecretWriter& out) {
  out.array(side.choices);
  write_words(side.shares, out);
}
void save(const WordSide& side, SecretWriter& out) {
  write_words(side.d, out);
  write_words(side.shares, out);
}

template <typename Material>
void save_tail(const Material& material, SecretWriter& out) {
  for (const AndTriple& triple : material.triples) {
    out.array(triple.a);
    out.array(triple.b);
    out.array(triple.products);
  }
  save(material.flip, out);
  save(material.select, out);
  for (const auto& term : material.terms) save(term, out);
}

template <typename Material>
void restore_tail(Material& material, const OtStep& step, const RestoreArrays& fill) {
  material.triples.resize(step.program.ands.size());
  triples_of(material, step, fill);
  if (step.operand_bits == 0) return;
  side_of(material.flip, step.count, step.ring, fill);
  side_of(material.select, step.count, step.ring, fill);
  for (const BitTerm& term : step.terms) {
    if (term.width > 0) side_of(material.terms.emplace_back(), step.count, term.width, fill);
  }
}

}  // namespace

void save(const ClientStepPreprocessing& material, SecretWriter& out) {
  for (const Blocks& leaf : material.leaves) out.array(leaf);
  save_tail(material, out);
}

void save(const ServerStepPreprocessing& material, SecretWriter& out) {
  for (const ServerStepPreprocessing::LeafChoice& leaf : material.leaves) {
    out.array(leaf.index);
    out.array(leaf.strings);
  }
  save_tail(material, out);
}

void restore(ClientStepPreprocessing& material, const OtStep& step, ByteReader& in) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  for (const Leaf& leaf : step.program.leaves) {
    const std::size_t strings = leaf.outputs.size() << leaf.width;
    material.leaves.push_back(read_array<Blocks>(in, strings * tiles));
  }
  restore_tail(material, step, RestoreArrays{in});
}

void restore(ServerStepPreprocessing& material, const OtStep& step, ByteReader& in) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  for (const Leaf& leaf : step.program.leaves) {
    auto& choice = material.leaves.emplace_back();
    choice.index = read_array<Blocks>(in, static_cast<std::size_t>(leaf.width) * tiles);
    choice.strings = read_array<Blocks>(in, leaf.outputs.size() * tiles);
  }
  restore_tail(material, step, RestoreArrays{in});
}

void save(const ClientLookupPreprocessing& material, SecretWriter& out) {
  out.array(material.pads);
  for (const WordSide& term : material.terms) save(term, out);
}
void save(const ServerLookupPreprocessing& material, SecretWriter& out) {
  out.array(material.index);
  out.array(material.strings);
  for (const BitSide& term : material.terms) save(term, out);
}
void restore(ClientLookupPreprocessing& material, const LookupStep& step, ByteReader& in) {
  const RestoreArrays fill{in};
  fill(material.pads, step.count * mpc::lookup_blocks(step.index_bits, step.value_bits));
  for (const BitTerm& term : step.terms) {
    if (term.width > 0) side_of(material.terms.emplace_back(), step.count, term.width, fill);
  }
}
void restore(ServerLookupPreprocessing& material, const LookupStep& step, ByteReader& in) {
  const RestoreArrays fill{in};
  fill(material.index, step.count);
  fill(material.strings, step.count);
  check_words("the stored index", material.index, step.count, step.index_bits);
  check_words("the stored strings", material.strings, step.count, step.value_bits);
  for (const BitTerm& term : step.terms) {
    if (term.width > 0) side_of(material.terms.emplace_back(), step.count, term.width, fill);
  }
}

void save(const SquareClientPreprocessing& material, SecretWriter& out) {
  out.array(material.argument);
  out.array(material.product);
}
void save(const SquareServerPreprocessing& material, SecretWriter& out) {
  out.array(material.mask);
  out.array(material.product);
}
void restore(SquareClientPreprocessing& material, const SquareSpec& spec, std::size_t count, ByteReader& in) {
  material.argument = read_array<Words>(in, count);
  material.product = read_array<Words>(in, count);
  check_words("the stored argument", material.argument, count, spec.word_bits());
}
void restore(SquareClientPreprocessing& material, const ProductSpec& spec, std::size_t count,
             ByteReader& in) {
  material.argument = read_array<Words>(in, spec.arguments(count));
  material.product = read_array<Words>(in, count);
  check_words("the stored factors", material.argument, spec.arguments(count), spec.value_bits);
}
void restore(SquareServerPreprocessing& material, const ProductSpec&, std::size_t count, ByteReader& in) {
  material.mask = read_array<Words>(in, 2 * count);
  material.product = read_array<Words>(in, count);
}
void restore(SquareServerPreprocessing& material, const SquareSpec&, std::size_t count, ByteReader& in) {
  material.mask = read_array<Words>(in, count);
  material.product = read_array<Words>(in, count);
}

template <typename Step, typename Square, typename Lookup>
void OtPreprocessing<Step, Square, Lookup>::save(SecretWriter& out) const {
  if (empty()) fail_security("the preprocessing of an activation layer was used before; it cannot be stored");
  if (plan_->needs_words_offline()) activation::save(square_, out);
  for (const Step& step : steps_) activation::save(step, out);
  if (plan_->table) activation::save(lookup_, out);
}

template <typename Step, typename Square, typename Lookup>
OtPreprocessing<Step, Square, Lookup> OtPreprocessing<Step, Square, Lookup>::restore(
    std::shared_ptr<const OtPlan> plan, ByteReader& in) {
  OtPreprocessing material;
  material.plan_ = std::move(plan);
  const OtPlan& layer = *material.plan_;
  if (layer.square) activation::restore(material.square_, *layer.square, layer.inputs, in);
  if (layer.product) activation::restore(material.square_, *layer.product, layer.inputs, in);
  layer.for_steps([&](const OtStep& step) { activation::restore(material.steps_.emplace_back(), step, in); });
  if (layer.table) activation::restore(material.lookup_, layer.table->lookup, in);
  return material;
}

template class OtPreprocessing<ClientStepPreprocessing, SquareClientPreprocessing, ClientLookupPreprocessing>;
template class OtPreprocessing<ServerStepPreprocessing, SquareServerPreprocessing, ServerLookupPreprocessing>;

}  // namespace ap::activation
