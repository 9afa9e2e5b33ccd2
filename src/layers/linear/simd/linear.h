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
#include <vector>

#include "base/sizes.h"
#include "he/bfv/batch_scheme.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"
#include "layers/linear/packed_layer.h"
#include "layers/linear/simd/packing.h"

namespace ap::linear {

/// What both parties know of a layer.
class SimdLinear final : public PackedLayer {
 public:
  /// @throws Error(input) if the geometry is invalid or does not fit the slots, or flood_bits or reply_level
  /// leave no room for a message.
  SimdLinear(const Geometry& geometry, bfv::BatchContextPtr context, const SimdChoice& choice);

  const Geometry& geometry() const override { return geometry_; }
  LayerRing ring() const override;
  std::string describe() const override { return "SIMD " + packing_.method(); }
  const bfv::BatchContextPtr& context() const { return context_; }
  const SimdChoice& choice() const { return choice_; }
  const SimdPacking& packing() const { return packing_; }
  OperationCounts counts() const override { return packing_.counts(); }
  std::size_t uploads() const { return packing_.uploads(); }
  std::size_t replies() const override { return packing_.replies(); }
  std::size_t weight_plaintexts() const { return packing_.weight_plaintexts(); }
  std::vector<std::uint32_t> elements() const override { return packing_.elements(*context_); }
  std::vector<OutputPosition> reads(std::size_t reply) const override { return packing_.reads(reply); }

  std::size_t upload_bytes() const override { return size_product(uploads(), rlwe::seeded_bytes(*context_)); }
  std::size_t reply_bytes() const override { return size_product(replies(), each_reply_bytes()); }
  std::size_t each_reply_bytes() const { return rlwe::ciphertext_bytes(*context_, reply_level()); }
  std::size_t reply_level() const { return static_cast<std::size_t>(choice_.reply_level); }

  std::optional<std::vector<float>> error_stds(std::span<const std::int16_t>) const override { return {}; }
  std::optional<double> largest_error_std(std::span<const std::int16_t>) const override { return {}; }
  double reply_failure_log2() const override;
  double weight_snr(std::span<const std::int16_t>, std::uint64_t) const override { return 0; }

  /// What PreparedSimdLinear keeps.
  std::size_t prepared_bytes() const {
    return size_product(weight_plaintexts(), context_->data() * context_->n() * sizeof(std::uint64_t));
  }

  /// Client: encrypts r (flat [c_in][h][w], values below p) into the concatenation of all uploads. `seed` is
  /// fresh and secret; upload i draws from its stream i.
  Bytes encrypt(const rlwe::SecretKey& key, std::span<const std::uint64_t> r, const Seed& seed) const;
  /// Client: its shares (flat [c_out][h_out][w_out], below p) from the concatenation of all replies.
  /// @throws Error(peer) on a wrong size or a residue that is not below its prime.
  void decrypt(const rlwe::SecretKey& key, ByteView replies, std::span<std::uint64_t> client_shares) const;

 private:
  Geometry geometry_;
  bfv::BatchContextPtr context_;
  SimdChoice choice_;
  SimdPacking packing_;
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
  Bytes apply(ByteView uploads, const rlwe::PublicKey& key, const rlwe::GaloisKeys& rotations,
              const Seed& seed, std::span<std::uint64_t> server_shares) const;

 private:
  std::shared_ptr<const SimdLinear> layer_;
  std::vector<rlwe::Plaintext> weights_;
};

}  // namespace ap::linear
