// A linear layer under encryption as everything but the exchange of its messages sees it, whatever its packing: what
// it costs, how much it sends, where its outputs lie and how far they err. Coefficient packing (HeLinear) and SIMD
// packing (SimdLinear) implement it; plan/packed_layers.h makes it from a plan's choice.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "layers/linear/geometry.h"

namespace ap::linear {

/// The ring of a layer's ciphertexts.
struct LayerRing {
  std::uint32_t n = 0;
  std::vector<std::uint64_t> primes;
  double log2_q = 0;
  /// Bits of the largest modulus that anything under the layer's key is published with: q, with the special primes
  /// of rotation keys.
  double log2_published = 0;
};

/// A party holds one part of a layer at a time, so this bounds its memory: as bytes, and as polynomials of 64 bits a
/// coefficient, which take three to six times as much.
inline constexpr std::size_t kPartBytes = std::size_t{8} << 20;

/// Where a reply holds an output: a coefficient or a slot, and the flat index [c_out][h_out][w_out].
struct OutputPosition {
  std::uint32_t position, output;
};

/// What one evaluation does.
struct OperationCounts {
  std::int64_t uploads = 0, replies = 0, products = 0;
  std::int64_t hoisted_rotations = 0, plain_rotations = 0;
  friend bool operator==(const OperationCounts&, const OperationCounts&) = default;
};

class PackedLayer {
 public:
  virtual ~PackedLayer() = default;
  virtual const Geometry& geometry() const = 0;
  virtual LayerRing ring() const = 0;
  /// How it is packed, in a few words: "coefficient 8x8 in2 out16", "SIMD shifted-copies".
  virtual std::string describe() const = 0;

  virtual OperationCounts counts() const = 0;
  /// Ciphertexts that come back.
  virtual std::size_t replies() const = 0;
  /// Exact bytes of all uploads, and of all replies, of one evaluation.
  virtual std::size_t upload_bytes() const = 0;
  virtual std::size_t reply_bytes() const = 0;
  /// A layer's uploads and its replies travel in parts, in order: part i of the replies follows from part i of the
  /// uploads alone. Neither has more than kPartBytes, unless one window of the layer has.
  virtual std::size_t parts() const { return 1; }
  /// Exact bytes of part `part` < parts().
  virtual std::size_t part_upload_bytes(std::size_t /*part*/) const { return upload_bytes(); }
  virtual std::size_t part_reply_bytes(std::size_t /*part*/) const { return reply_bytes(); }
  /// What reply `reply` holds, positions ascending; over all replies each output occurs exactly once.
  virtual std::vector<OutputPosition> reads(std::size_t reply) const = 0;
  /// The Galois elements whose rotation keys the server needs.
  virtual std::vector<std::uint32_t> elements() const = 0;

  /// Standard deviation of p e / q by output, in accumulator LSBs, from the layer's weights. Absent where outputs are
  /// exact unless a reply fails.
  virtual std::optional<std::vector<float>> error_stds(std::span<const std::int16_t> weights) const = 0;
  /// The largest of them; without weights (a client has none) the least that it can be.
  virtual std::optional<double> largest_error_std(std::span<const std::int16_t> weights) const = 0;
  /// log2 of the probability that the noisiest reply decrypts to something else in all its outputs; -infinity where
  /// outputs err one by one.
  virtual double reply_failure_log2() const = 0;
  /// Signal-to-noise ratio of the largest weight in what a client sees of so many inferences
  /// (coefficient/weight_privacy.h); 0 where flooding hides the weights.
  virtual double weight_snr(std::span<const std::int16_t> weights, std::uint64_t inferences) const = 0;
};

}  // namespace ap::linear
