#include "layers/activation/ot/ot_bits.h"

#include "layers/activation/ot/ot_messages.h"

namespace ap::activation {

using mpc::Block;

namespace {

constexpr Block kOnes{~std::uint64_t{0}, ~std::uint64_t{0}};

/// minterms[v]: the instances whose digit is v.
void minterms(int width, const Block* digit, Block* out) {
  out[0] = kOnes;
  std::size_t count = 1;
  for (int i = 0; i < width; ++i, count *= 2) {
    for (std::size_t v = 0; v < count; ++v) {
      out[count + v] = out[v] & digit[i];
      out[v] ^= out[count + v];
    }
  }
}

}  // namespace

void leaf_entries(LeafOutput output, int width, const Block* y, const Block* e, Block* entries) {
  const std::size_t size = std::size_t{1} << width;
  const std::size_t half = size / 2;
  const std::size_t mask = size - 1;
  Block at[std::size_t{1} << mpc::kMaxTableBits];
  minterms(width, output == LeafOutput::zero ? e : y, at);
  switch (output) {
    case LeafOutput::generate:  // y >= size - x
      entries[0] = {0, 0};
      for (std::size_t x = 1; x < size; ++x) entries[x] = entries[x - 1] ^ at[size - x];
      break;
    case LeafOutput::propagate:
      for (std::size_t x = 0; x < size; ++x) entries[x] = at[mask - x];
      break;
    case LeafOutput::zero:
      for (std::size_t x = 0; x < size; ++x) entries[x] = at[x];
      break;
    case LeafOutput::nonnegative:  // y in the cyclic interval [-x, half - x)
      entries[0] = {0, 0};
      for (std::size_t v = 0; v < half; ++v) entries[0] ^= at[v];
      for (std::size_t x = 1; x < size; ++x) {
        entries[x] = entries[x - 1] ^ at[(size - x) & mask] ^ at[(size + half - x) & mask];
      }
      break;
    case LeafOutput::sign_sensitive:
      for (std::size_t x = 0; x < size; ++x) {
        entries[x] = at[(size + half - 1 - x) & mask] ^ at[(size - 1 - x) & mask];
      }
      break;
  }
}

void SharedBits::set_locals(std::span<const Block> word_slices) {
  for (const LocalBit& local : program_.locals) {
    const Block flip = role_ == Party::server ? kOnes : Block{0, 0};
    const auto out = slice(local.out);
    const auto in = word_slices.subspan(static_cast<std::size_t>(local.shift) * tiles_, tiles_);
    for (std::size_t i = 0; i < tiles_; ++i) out[i] = in[i] ^ flip;
  }
}

void SharedBits::run_xors(int level) {
  for (const XorStep& step : program_.xors) {
    if (step.level != level) continue;
    const auto x = slice(step.x);
    const auto y = slice(step.y);
    const auto out = slice(step.out);
    for (std::size_t i = 0; i < tiles_; ++i) out[i] = x[i] ^ y[i];
  }
}

void SharedBits::run_ands(net::Channel& channel, std::span<const AndTriple> triples, int level) {
  // Opened: x xor a, then y[i] xor b[i], of every step.
  std::size_t opened = 0;
  for (const AndStep& step : program_.ands) opened += step.level == level ? 1 + step.y.size() : 0;
  SecretVector<Block> mine(opened * tiles_);
  SliceWriter writer(count_, opened);
  Block* at = mine.data();
  const auto open = [&](std::span<const Block> value, const Block* mask) {
    for (std::size_t i = 0; i < tiles_; ++i) at[i] = value[i] ^ mask[i];
    writer.put(at);
    at += tiles_;
  };
  for (std::size_t s = 0; s < program_.ands.size(); ++s) {
    const AndStep& step = program_.ands[s];
    if (step.level != level) continue;
    open(slice(step.x), triples[s].a.data());
    for (std::size_t i = 0; i < step.y.size(); ++i) open(slice(step.y[i]), triples[s].b.data() + i * tiles_);
  }
  channel.send(kOtOpenings, writer.bytes());
  const Bytes reply = channel.receive_exactly(kOtOpenings, writer.bytes().size());
  SliceReader reader(reply, count_);
  SecretVector<Block> theirs(tiles_);
  for (std::size_t s = 0; s < opened; ++s) {
    reader.get(theirs.data(), tiles_);
    for (std::size_t i = 0; i < tiles_; ++i) mine[s * tiles_ + i] ^= theirs[i];
  }
  const Block both = role_ == Party::server ? kOnes : Block{0, 0};
  const Block* x = mine.data();
  for (std::size_t s = 0; s < program_.ands.size(); ++s) {
    const AndStep& step = program_.ands[s];
    if (step.level != level) continue;
    const AndTriple& triple = triples[s];
    for (std::size_t j = 0; j < step.y.size(); ++j) {
      const Block* y = x + (1 + j) * tiles_;
      const Block* b = triple.b.data() + j * tiles_;
      const Block* product = triple.products.data() + j * tiles_;
      const auto out = slice(step.out + static_cast<int>(j));
      for (std::size_t i = 0; i < tiles_; ++i) {
        out[i] = (x[i] & b[i]) ^ (y[i] & triple.a[i]) ^ product[i] ^ (x[i] & y[i] & both);
      }
    }
    x += (1 + step.y.size()) * tiles_;
  }
}

void SharedBits::evaluate(net::Channel& channel, std::span<const AndTriple> triples) {
  run_xors(0);
  for (int level = 1; level <= program_.levels; ++level) {
    run_ands(channel, triples, level);
    run_xors(level);
  }
}

}  // namespace ap::activation
