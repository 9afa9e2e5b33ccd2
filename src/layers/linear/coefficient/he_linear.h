// One linear layer under encryption (design, sections 3 and 4): the client sends Enc(r), the server answers
// with an encryption of W r - s, and the two hold shares of W r mod 2^log2_p.
//
//   client  HeLinear::encrypt(r)        -> uploads
//   server  PreparedLinear::apply(...)  -> replies, server shares    (prepared_linear.h)
//   client  HeLinear::decrypt(replies)  -> client shares
//
// client + server = W r mod 2^log2_p up to -1, 0 or +1 from the two roundings, plus round(p e / q) for the
// noise e. All sizes and all operation counts are functions of public shapes.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/sizes.h"
#include "he/bfv/scheme.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"
#include "layers/linear/coefficient/layout.h"

namespace ap::linear {

/// What both parties know of a layer: its packing, ring, plaintext modulus and reply format.
class HeLinear final : public PackedLayer {
 public:
  /// Replies drop c0_dropped_bits low bits of c0 and c1_dropped_bits of c1, and carry noise of the server's own of this step
  /// (random/wide_noise.h; 0 for none) in every coefficient of c0.
  /// @throws Error(input) if the layout's ring is not the context's, or a number is out of range.
  HeLinear(Layout layout, bfv::ContextPtr context, int log2_p, int c0_dropped_bits, int c1_dropped_bits,
           std::uint64_t noise_step);

  const Geometry& geometry() const override { return layout_.geometry(); }
  LayerRing ring() const override;
  std::string describe() const override;
  const Layout& layout() const { return layout_; }
  const bfv::ContextPtr& context() const { return context_; }
  int log2_p() const { return log2_p_; }
  std::uint64_t noise_step() const { return noise_step_; }
  /// Format of reply `reply`, and the flat output index of each of its positions.
  bfv::ReplyFormat reply_format(std::size_t reply) const;
  std::span<const std::uint32_t> outputs(std::size_t reply) const;

  OperationCounts counts() const override {
    return {layout_.counts().uploads, layout_.counts().replies, layout_.counts().products, 0, 0};
  }
  std::size_t replies() const override { return layout_.replies(); }
  std::vector<OutputPosition> reads(std::size_t reply) const override { return layout_.reads(reply); }
  std::vector<std::uint32_t> elements() const override { return {}; }
  std::size_t upload_bytes() const override {
    return size_product(layout_.uploads(), rlwe::seeded_bytes(*context_));
  }
  std::size_t reply_bytes() const override { return reply_offset_.back(); }
  std::size_t parts() const override { return part_window_.size() - 1; }
  std::size_t part_upload_bytes(std::size_t part) const override {
    return windows_of(part) * layout_.terms() * rlwe::seeded_bytes(*context_);
  }
  std::size_t part_reply_bytes(std::size_t part) const override {
    return reply_offset_[first_reply(part + 1)] - reply_offset_[first_reply(part)];
  }
  /// Parts are runs of the layout's windows: the first one, upload and reply of a part, or of what ends the last.
  std::size_t first_window(std::size_t part) const { return part_window_[part]; }
  std::size_t windows_of(std::size_t part) const { return part_window_[part + 1] - part_window_[part]; }
  std::size_t first_upload(std::size_t part) const { return part_window_[part] * layout_.terms(); }
  std::size_t first_reply(std::size_t part) const { return part_window_[part] * layout_.outputs_of_window(); }
  /// Where reply `reply` begins in the concatenation of all.
  std::size_t reply_offset(std::size_t reply) const { return reply_offset_[reply]; }

  std::optional<std::vector<float>> error_stds(std::span<const std::int16_t> weights) const override;
  std::optional<double> largest_error_std(std::span<const std::int16_t> weights) const override;
  double reply_failure_log2() const override;
  double weight_snr(std::span<const std::int16_t> weights, std::uint64_t inferences) const override;

  /// Client: encrypts r (flat [c_in][h][w], values mod 2^log2_p) into the concatenation of all uploads.
  /// `seed` is fresh and secret; upload i draws from its stream i.
  Bytes encrypt(const rlwe::SecretKey& key, std::span<const std::uint64_t> r, const Seed& seed,
                rlwe::ErrorSource errors = rlwe::ErrorSource::centred_binomial) const;
  /// One part of that.
  Bytes encrypt(std::size_t part, const rlwe::SecretKey& key, std::span<const std::uint64_t> r,
                const Seed& seed, rlwe::ErrorSource errors) const;
  /// Client: its shares (flat [c_out][h_out][w_out]) from the concatenation of all replies.
  /// @throws Error(peer) on a wrong size or an invalid reply.
  void decrypt(const rlwe::SecretKey& key, ByteView replies, std::span<std::uint64_t> client_shares) const;
  /// The shares that one part of the replies holds; client_shares are those of the whole layer.
  void decrypt(std::size_t part, const rlwe::SecretKey& key, ByteView replies,
               std::span<std::uint64_t> client_shares) const;

 private:
  Layout layout_;
  bfv::ContextPtr context_;
  int log2_p_, c0_dropped_bits_, c1_dropped_bits_;
  std::uint64_t noise_step_;
  // All reads, reply after reply.
  std::vector<std::uint32_t> positions_, outputs_;
  std::vector<std::size_t> read_offset_, reply_offset_, part_window_;
};

/// Largest sum of squares of the weight coefficients behind one reply of a layout, without preparing
/// anything.
double max_reply_norm2(const Layout& layout, std::span<const std::int16_t> weights);
/// The largest magnitude of a weight; 0 if there are none.
double largest_magnitude(std::span<const std::int16_t> weights);

}  // namespace ap::linear
