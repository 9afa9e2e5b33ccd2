#include "layers/linear/simd/fc_blocks.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "he/rlwe/evaluate.h"

namespace ap::linear {
namespace {

bool diagonal(SimdFcMethod method) {
  return method == SimdFcMethod::diagonal || method == SimdFcMethod::diagonal_baby_giant;
}

}  // namespace

SimdFcBlocks::SimdFcBlocks(int n_in, int n_out, SimdFcMethod method, std::uint32_t n)
    : n_in_(n_in),
      n_out_(n_out),
      block_in_(diagonal(method) ? std::min(n_in, static_cast<int>(n / 2)) : n_in),
      block_out_(std::min(n_out, static_cast<int>(n / 2))),
      blocks_in_(static_cast<std::size_t>((n_in + std::max(block_in_, 1) - 1) / std::max(block_in_, 1))),
      blocks_out_(static_cast<std::size_t>((n_out + std::max(block_out_, 1) - 1) / std::max(block_out_, 1))),
      block_(block_in_, block_out_, method, n) {}

SimdCounts SimdFcBlocks::counts() const {
  SimdCounts c = block_.counts();
  const auto in = static_cast<std::int64_t>(blocks_in_), blocks = in * static_cast<std::int64_t>(blocks_out_);
  return {c.uploads * in, static_cast<std::int64_t>(blocks_out_), c.products * blocks,
          c.hoisted_rotations * blocks, c.plain_rotations * blocks};
}

SimdTerms SimdFcBlocks::terms(std::size_t reply) const {
  AP_ASSERT(reply < blocks_out_);
  SimdTerms t = block_.terms();
  // Blocks of columns are added up when they are done, which only those without doublings have several of.
  const auto columns = static_cast<std::int64_t>(blocks_in_);
  AP_ASSERT(columns == 1 || (t.doublings == 0 && !t.rows));
  t.products *= columns;
  t.switched *= columns;
  t.rotated *= columns;
  return t;
}

void SimdFcBlocks::encode_input(std::size_t upload, std::span<const std::uint64_t> vector,
                                std::span<std::uint64_t> slots) const {
  AP_ASSERT(upload < uploads() && vector.size() == static_cast<std::size_t>(n_in_));
  const auto size = static_cast<std::size_t>(block_in_), first = upload / block_.uploads() * size;
  SecretVector<std::uint64_t> part(size, 0);
  std::copy_n(vector.begin() + static_cast<std::ptrdiff_t>(first), std::min(size, vector.size() - first),
              part.begin());
  block_.encode_input(upload % block_.uploads(), part, slots);
}

void SimdFcBlocks::encode_weights(std::size_t index, std::span<const std::int16_t> weights, std::uint64_t p,
                                  std::span<std::uint64_t> slots) const {
  const auto n_in = static_cast<std::size_t>(n_in_), n_out = static_cast<std::size_t>(n_out_);
  AP_ASSERT(index < weight_plaintexts() && weights.size() == n_in * n_out);
  const std::size_t each = block_.weight_plaintexts(), block = index / each;
  if (blocks_in_ * blocks_out_ == 1) return block_.encode_weights(index, weights, p, slots);
  const auto rows = static_cast<std::size_t>(block_out_), columns = static_cast<std::size_t>(block_in_);
  const std::size_t first_out = block / blocks_in_ * rows, first_in = block % blocks_in_ * columns;
  std::vector<std::int16_t> part(rows * columns, 0);
  for (std::size_t o = 0; o < rows && first_out + o < n_out; ++o) {
    for (std::size_t i = 0; i < columns && first_in + i < n_in; ++i) {
      part[o * columns + i] = weights[(first_out + o) * n_in + first_in + i];
    }
  }
  block_.encode_weights(index % each, part, p, slots);
}

std::vector<rlwe::Ciphertext> SimdFcBlocks::evaluate(std::span<const rlwe::Ciphertext> inputs,
                                                     std::span<const rlwe::Plaintext> weights,
                                                     const rlwe::GaloisKeys& keys) const {
  AP_ASSERT(inputs.size() == uploads() && weights.size() == weight_plaintexts());
  const std::size_t each = block_.weight_plaintexts();
  std::vector<rlwe::Ciphertext> replies(blocks_out_,
                                        rlwe::Ciphertext(inputs[0].context(), inputs[0].level()));
  parallel_for(blocks_out_, [&](std::size_t out) {
    for (std::size_t in = 0; in < blocks_in_; ++in) {
      rlwe::add(replies[out], block_.evaluate(inputs.subspan(in * block_.uploads(), block_.uploads()),
                                              weights.subspan((out * blocks_in_ + in) * each, each), keys));
    }
  });
  return replies;
}

std::vector<OutputPosition> SimdFcBlocks::reads(std::size_t reply) const {
  std::vector<OutputPosition> reads;
  const auto size = static_cast<std::uint32_t>(block_out_);
  const auto first = static_cast<std::uint32_t>(reply) * size;
  for (std::uint32_t o = 0; o < size && first + o < static_cast<std::uint32_t>(n_out_); ++o) {
    reads.push_back({o, first + o});
  }
  return reads;
}

}  // namespace ap::linear
