// How a linear layer is packed for SIMD, from public shapes alone: as a matrix in blocks (fc_blocks.h) if its input is
// a vector, as a convolution (conv.h) otherwise. Nothing else decides that, so what plans, predicts, simulates and
// runs a layer has one answer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/galois.h"
#include "layers/linear/simd/conv.h"
#include "layers/linear/simd/fc_blocks.h"

namespace ap::linear {

/// How a layer packed for SIMD runs.
struct SimdChoice {
  SimdConvMethod conv = SimdConvMethod::shifted_copies;
  SimdFcMethod fc = SimdFcMethod::hybrid;  ///< of layers whose input is a vector
  int statistical_bits = 40;  ///< distance of replies from what their result determines: 2^-statistical_bits
  int flood_bits = 0;         ///< of the noise that hides the weights (bfv::flood), absolute
  int reply_level = 1;        ///< data primes of a reply
};

/// Names of methods, as packages write them: "shifted_copies".
std::string_view name_of(SimdConvMethod method);
std::string_view name_of(SimdFcMethod method);
/// Nothing if there is no such method.
std::optional<SimdConvMethod> conv_method(std::string_view name);
std::optional<SimdFcMethod> fc_method(std::string_view name);

/// Whether the layer is a matrix: one whose input is a vector, without groups.
bool is_matrix(const Geometry& geometry);

class SimdPacking {
 public:
  /// @throws Error(input) if the geometry is invalid or does not fit n slots.
  SimdPacking(const Geometry& geometry, SimdConvMethod conv, SimdFcMethod fc, std::uint32_t n);
  /// Nothing if the geometry does not fit n slots. @throws Error(input) if it is invalid.
  static std::optional<SimdPacking> if_fits(const Geometry& geometry, SimdConvMethod conv, SimdFcMethod fc,
                                            std::uint32_t n);

  /// "shifted-copies", "hybrid": the method that this layer uses.
  std::string method() const;
  std::size_t uploads() const;
  std::size_t replies() const;
  std::size_t weight_plaintexts() const;
  SimdCounts counts() const;
  /// The distinct noises of the replies.
  std::vector<SimdTerms> terms() const;
  std::vector<std::uint32_t> elements(const bfv::BatchContext& context) const;
  std::vector<OutputPosition> reads(std::size_t reply) const;

  /// N slots of upload `upload` from the flat input.
  void encode_input(std::size_t upload, std::span<const std::uint64_t> input,
                    std::span<std::uint64_t> slots) const;
  /// N slots modulo p of weight plaintext `index`.
  void encode_weights(std::size_t index, std::span<const std::int16_t> weights, std::uint64_t p,
                      std::span<std::uint64_t> slots) const;
  std::vector<rlwe::Ciphertext> evaluate(std::span<const rlwe::Ciphertext> uploads,
                                         std::span<const rlwe::Plaintext> weights,
                                         const rlwe::GaloisKeys& keys) const;

 private:
  using Blocks = std::variant<SimdConv, SimdFcBlocks>;
  Blocks blocks_;
  std::string method_;
};

/// What planners compare of one layer in one ring: worked out once for all moduli.
struct SimdLayer {
  SimdCounts counts;
  std::vector<SimdTerms> terms;  ///< the distinct noises of its replies
};
inline SimdLayer simd_layer(const SimdPacking& packing) { return {packing.counts(), packing.terms()}; }

}  // namespace ap::linear
