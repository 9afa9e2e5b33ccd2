// Coefficient packing of a convolution (Cheetah, USENIX Security 2022, section 3): tensor and kernel become
// polynomials whose negacyclic product holds the outputs in known coefficients. A Layout is public geometry
// only: every count, size and index below is a function of shapes, never of values.
//
// With row pitch R, channel pitch P, C input channels and M output channels in one product (one group):
//   tensor   t[c P + i R + j - z]                     = T[c, i, j]
//   kernel   k[O - m C P - c P - l R - l']            = K[m, c, l, l']
//            with O = (M-1) C P + (C-1) P + (kh-1) R + kw-1
//   product  (t k)[O - z - m C P + s_h y R + s_w x]   = sum_{c,l,l'} T[c, s_h y + l, s_w x + l'] K[m, c, l, l']
// which the wrap never touches while M C P <= n. Cheetah has R = window width, P = window area and z = 0.
// Here the zero padding that ends one row (channel) also begins the next one, and leading zeros are left out
// (z), so that a padded 8x8 map takes 81 coefficients instead of 100.
//
// Strides: the map and the kernel may be split into their s_h s_w phases, which are the input channels of a
// convolution of stride 1 with smaller maps.
//
// Groups: G groups share a product when tensor and kernel of group g are both shifted by x_g Q, Q = M C P,
// and no x_i + x_j equals 2 x_k but for i = j = k: then every cross term misses every read position. Sets
// without three-term progressions (Salem-Spencer) are exactly that, and (2 x_max + 1) Q <= n.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "layers/linear/packed_layer.h"

namespace ap::bfv {
struct Term;
}

namespace ap::linear {

/// How much of the layer one product holds. The window counts rows and columns of the zero-padded map, or of
/// one phase of it if `phases`; channels count the phases too, and lie within one group.
struct Packing {
  int window_h = 0, window_w = 0;
  int channels_in = 1;   ///< C
  int channels_out = 1;  ///< M, outputs of one group
  int groups = 1;        ///< G, groups that share a polynomial
  bool phases = false;   ///< split strides into phases
  friend bool operator==(const Packing&, const Packing&) = default;
};

/// How a layer runs on coefficient packing.
struct CoefficientChoice {
  Packing packing;
  int c0_dropped_bits = 0, c1_dropped_bits = 0;  ///< low bits of c0 and c1 that a reply leaves out
};

/// The layer as the packing sees it: after the padding, and after the split into phases.
struct ReducedMap {
  int h = 0, w = 0;  ///< rows and columns that some output needs
  int kernel_h = 0, kernel_w = 0;
  int stride_h = 1, stride_w = 1;
  int phases_h = 1, phases_w = 1;
  int channels_in = 0, channels_out = 0;  ///< of one group
};
ReducedMap reduce(const Geometry& geometry, bool phases);

/// The coefficients that one product needs, (2 x_max + 1) M C P (more only if the kernel is larger than its
/// input): a packing fits the ring if this is <= n.
std::int64_t coefficients_needed(const Geometry& geometry, const Packing& packing);

/// P: the coefficients from one channel of the packing's window to the next.
std::int64_t channel_pitch(const Geometry& geometry, const Packing& packing);

/// Numbers of messages and operations.
struct Counts {
  std::int64_t uploads = 0, replies = 0, products = 0, weight_polynomials = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};
Counts counts(const Geometry& geometry, const Packing& packing);

class Layout {
 public:
  /// @throws Error(input) if the geometry is invalid or the packing does not fit it or the ring degree n.
  Layout(const Geometry& geometry, const Packing& packing, std::uint32_t n);

  const Geometry& geometry() const { return geometry_; }
  const Packing& packing() const { return packing_; }
  std::uint32_t n() const { return n_; }
  const Counts& counts() const { return counts_; }
  std::size_t uploads() const { return static_cast<std::size_t>(counts_.uploads); }
  std::size_t replies() const { return static_cast<std::size_t>(counts_.replies); }
  std::size_t weight_polynomials() const { return static_cast<std::size_t>(counts_.weight_polynomials); }

  /// Coefficients of upload polynomial `upload` (n values) from a flat tensor [c_in][h][w]; the rest is zero.
  void encode_input(std::size_t upload, std::span<const std::uint64_t> tensor,
                    std::span<std::uint64_t> coefficients) const;
  /// Coefficients of weight polynomial `index`, from weights[c_out][c_in / groups][kernel_h][kernel_w].
  void encode_weights(std::size_t index, std::span<const std::int16_t> weights,
                      std::span<std::int32_t> coefficients) const;
  /// The same as a list, into `terms`: most coefficients are zero. Weights of one position add up.
  void list_weights(std::size_t index, std::span<const std::int16_t> weights,
                    std::vector<bfv::Term>& terms) const;

  /// Reply r is the sum over i < terms() of upload first_upload(r) + i times weight polynomial
  /// first_weight(r) + i. Windows share weight polynomials.
  std::size_t terms() const { return static_cast<std::size_t>(blocks_c_); }
  /// A window of a block of groups has outputs_of_window() consecutive replies, and terms() consecutive uploads;
  /// the windows_of_group() windows of one block of groups are consecutive, and share their weights.
  std::size_t windows() const { return replies() / outputs_of_window(); }
  std::size_t windows_of_group() const { return static_cast<std::size_t>(blocks_h_ * blocks_w_); }
  std::size_t outputs_of_window() const { return static_cast<std::size_t>(blocks_m_); }
  std::size_t first_upload(std::size_t reply) const;
  std::size_t first_weight(std::size_t reply) const;
  /// What reply `reply` holds, positions ascending. Over all replies each output occurs exactly once.
  std::vector<OutputPosition> reads(std::size_t reply) const;
  /// How many coefficients that are read collect one and the same weight, at most: the reads of all replies
  /// that use its polynomial, since a coefficient of a product collects the noise of the whole product.
  std::uint64_t reads_of_a_weight() const;

 private:
  /// Calls put(position, index of the weight) for each weight of the polynomial.
  template <typename Put>
  void each_weight(std::size_t index, const Put& put) const;

  Geometry geometry_;
  Packing packing_;
  std::uint32_t n_;
  ReducedMap map_;
  Counts counts_;
  int blocks_g_ = 1, blocks_c_ = 1, blocks_m_ = 1, blocks_h_ = 1, blocks_w_ = 1;
  int rows_out_ = 1, cols_out_ = 1;  ///< outputs of one window
  std::int64_t row_pitch_ = 1, channel_pitch_ = 1, group_pitch_ = 1;
  std::int64_t lead_ = 0;        ///< z: leading zeros left out
  std::int64_t origin_ = 0;      ///< O
  std::vector<int> group_slot_;  ///< x_g
};

/// The first `count` members of the lexicographically first set 0, 1, 3, 4, 9, ... without three terms in
/// arithmetic progression, or a denser one for small counts.
std::vector<int> progression_free(int count);

}  // namespace ap::linear
