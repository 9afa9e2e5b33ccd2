// The server's side of HeLinear: its weights, and the evaluation of the layer on a client's uploads.
//
// A weight polynomial has few coefficients that are not zero, and as a transform takes 64 bits for each of its N. So
// weights are held as they are, a byte or two each, and every polynomial is made when its products are due: weights are
// the outer loop, windows the inner one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/keys.h"
#include "layers/linear/coefficient/he_linear.h"

namespace ap::linear {

class PreparedLinear {
 public:
  /// weights[c_out][c_in / groups][kernel_h][kernel_w].
  /// @throws Error(input) if their number is not the layer's.
  PreparedLinear(std::shared_ptr<const HeLinear> layer, std::span<const std::int16_t> weights);

  const HeLinear& layer() const { return *layer_; }
  /// Bytes that the weights occupy.
  std::size_t memory_bytes() const { return weights_.size() * sizeof(std::int16_t); }
  /// The same, before there are weights.
  static std::size_t memory_bytes(const HeLinear& layer);
  /// At most so many bytes are taken while a part of the layer is evaluated, beside its uploads and replies.
  static std::size_t working_bytes(const HeLinear& layer, std::size_t part);

  /// Evaluates the layer: `uploads` as HeLinear::encrypt made them; writes the server's shares (flat outputs,
  /// mod 2^log2_p) and returns the concatenation of all replies. `seed` is fresh and secret; reply i draws
  /// from its stream i, so the result does not depend on the number of threads.
  /// @throws Error(peer) if the uploads have a wrong size or are not valid ciphertexts.
  Bytes apply(ByteView uploads, const rlwe::PublicKey& key, const Seed& seed,
              std::span<std::uint64_t> server_shares,
              rlwe::ErrorSource errors = rlwe::ErrorSource::centred_binomial) const;
  /// One part of that: its uploads to its replies, and those of the layer's shares that they hold.
  Bytes apply(std::size_t part, ByteView uploads, const rlwe::PublicKey& key, const Seed& seed,
              std::span<std::uint64_t> server_shares, rlwe::ErrorSource errors) const;

 private:
  std::shared_ptr<const HeLinear> layer_;
  std::vector<std::int16_t> weights_;
};

}  // namespace ap::linear
