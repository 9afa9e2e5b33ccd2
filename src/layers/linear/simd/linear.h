// One linear layer packed for SIMD (BFV batching), as the published baselines run it; the counterpart of
// layers/linear/coefficient/he_linear.h.
//
//   client  SimdLinear::encrypt(r)        -> uploads (of r, or of its shifted copies)
//   server  PreparedSimdLinear::apply(..) -> replies, server shares
//   client  SimdLinear::decrypt(replies)  -> client shares
//
// client + server = W r mod p exactly, unless the noise leaves no room (he/bfv/batch_noise.h). All sizes and all
// operation counts are functions of public shapes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "he/bfv/batch_scheme.h"
#include "layers/linear/geometry.h"
#include "layers/linear/simd/conv.h"
#include "layers/linear/simd/fc_blocks.h"

namespace ap::linear {

struct SimdOptions {
  SimdConvMethod conv = SimdConvMethod::shifted_copies;
  SimdFcMethod fc = SimdFcMethod::hybrid;
  int flood_bits = 0;           ///< of share_slots
  std::size_t reply_level = 1;  ///< data primes of a reply
};

/// What both parties know of a layer.
class SimdLinear {
 public:
  /// A layer whose input is {n_in, 1, 1} and whose kernel is 1x1, in one group, is a matrix
  /// (SimdFcBlocks); all others are convolutions (SimdConv; the weights between different groups are
  /// zero).
  /// @throws Error(input) if the geometry is invalid or does not fit the slots, or flood_bits or reply_level
  /// leave no room for a message.
  SimdLinear(const Geometry& geometry, bfv::BatchContextPtr context, const SimdOptions& options);

  const Geometry& geometry() const { return geometry_; }
  const bfv::BatchContextPtr& context() const { return context_; }
  const SimdOptions& options() const { return options_; }
  std::size_t uploads() const;
  std::size_t replies() const;
  std::size_t weight_plaintexts() const;
  /// The Galois elements whose keys the server needs.
  std::vector<std::uint32_t> elements() const;

  /// Exact bytes of all uploads, and of all replies, of one evaluation.
  std::size_t upload_bytes() const { return uploads() * bfv::batch_encrypted_bytes(*context_); }
  std::size_t reply_bytes() const { return replies() * each_reply_bytes(); }
  std::size_t each_reply_bytes() const {
    return bfv::batch_ciphertext_bytes(*context_, options_.reply_level);
  }
  /// What PreparedSimdLinear keeps.
  std::size_t prepared_bytes() const {
    return weight_plaintexts() * context_->data() * context_->n() * sizeof(std::uint64_t);
  }

  /// Client: encrypts r (flat [c_in][h][w], values below p) into the concatenation of all uploads. `seed` is
  /// fresh and secret; upload i draws from its stream i.
  Bytes encrypt(const bfv::BatchSecretKey& key, std::span<const std::uint64_t> r, const Seed& seed) const;
  /// Client: its shares (flat [c_out][h_out][w_out], below p) from the concatenation of all replies.
  /// @throws Error(peer) on a wrong size or a residue that is not below its prime.
  void decrypt(const bfv::BatchSecretKey& key, ByteView replies,
               std::span<std::uint64_t> client_shares) const;

 private:
  friend class PreparedSimdLinear;
  Geometry geometry_;
  bfv::BatchContextPtr context_;
  SimdOptions options_;
  std::variant<SimdConv, SimdFcBlocks> packing_;
};

/// The server's side: the weights as polynomials in NTT form, prepared once and used for every evaluation.
class PreparedSimdLinear {
 public:
  /// weights[c_out][c_in / groups][kernel_h][kernel_w].
  /// @throws Error(input) if their number is not the layer's.
  PreparedSimdLinear(std::shared_ptr<const SimdLinear> layer, std::span<const std::int16_t> weights);

  const SimdLinear& layer() const { return *layer_; }
  /// 8 N bytes for each weight plaintext and data prime.
  std::size_t memory_bytes() const { return layer_->prepared_bytes(); }

  /// Evaluates the layer: `uploads` as SimdLinear::encrypt made them; writes the server's shares (flat
  /// outputs, below p) and returns the concatenation of all replies. `seed` is fresh and secret; reply i
  /// draws from its stream i.
  /// @throws Error(peer) if the uploads have a wrong size or are not valid ciphertexts.
  Bytes apply(ByteView uploads, const bfv::BatchPublicKey& key, const bfv::GaloisKeys& rotations,
              const Seed& seed, std::span<std::uint64_t> server_shares) const;

 private:
  std::shared_ptr<const SimdLinear> layer_;
  std::vector<bfv::BatchPlaintext> weights_;
};

}  // namespace ap::linear
