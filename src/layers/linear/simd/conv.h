// Convolutions packed for SIMD: GAZELLE (USENIX Security 2018, section 4) with input or output rotations, and
// DELPHI (USENIX Security 2020), whose client sends the shifted copies of its input itself. All indices and
// counts are functions of shapes.
//
// A ciphertext holds c_n channels, each in a span of S = N / c_n slots: channel (row r, place j) of group g
// is channel g c_n + r c_n / 2 + j, its value at (y, x) in slot r N/2 + j S + y pitch + x. A stride splits
// the map into its s_h s_w phases, which are channels of a convolution of stride 1. Zero padding is masked in
// the weights.
//
// For f taps, c_i channels (phases counted) in i = c_i / c_n ciphertexts and c_o in o = c_o / c_n:
//   input rotations   i (c_n f - 1) hoisted
//   output rotations  i (f - 1) hoisted, o (c_n - 1) plain
//   shifted copies    o (c_n - 1) plain; as DELPHI's code does it i o (c_n - 1)
// and i o c_n f products in all of them. One of the rotations of each group is the swap of the rows. Where
// groups of channels meet only their own outputs (depthwise layers), diagonals without weights are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/sizes.h"
#include "he/bfv/batch_context.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/galois.h"
#include "layers/linear/packed_layer.h"

namespace ap::linear {

enum class SimdConvMethod {
  input_rotation,
  output_rotation,
  shifted_copies,           ///< sums over input ciphertexts before it rotates
  shifted_copies_published  ///< rotates for each input ciphertext, as DELPHI's public code
};

using SimdCounts = OperationCounts;

/// What the noise of one reply is the sum of: the operations of SimdCounts that really reach it. Products
/// with weights that are zero whatever the weights (padding of channels, groups) add none.
struct SimdTerms {
  std::int64_t products = 0;
  std::int64_t switched = 0;  ///< key switches of the inputs, added up over those products
  std::int64_t rotated = 0;   ///< key switches of sums
  int doublings = 0;          ///< then log2 of how many columns are added up by rotations ...
  bool rows = false;          ///< ... and whether the two rows are
  friend bool operator==(const SimdTerms&, const SimdTerms&) = default;
};

class SimdConv {
 public:
  /// @throws Error(input) if the geometry is invalid or a channel of its map does not fit N/2 slots.
  SimdConv(const Geometry& geometry, SimdConvMethod method, std::uint32_t n);
  /// Whether a valid geometry fits.
  static bool fits(const Geometry& geometry, SimdConvMethod method, std::uint32_t n);

  /// What evaluate() does, counted by the formulas above.
  SimdCounts counts() const;
  /// What the noise of reply `reply` is the sum of.
  SimdTerms terms(std::size_t reply) const;
  std::size_t uploads() const;
  std::size_t replies() const { return groups_out_; }
  std::size_t weight_plaintexts() const { return size_product(diagonals_.size(), taps()); }
  /// c_n.
  std::size_t channels() const { return channels_; }

  /// The Galois elements whose keys evaluate() needs.
  std::vector<std::uint32_t> elements(const bfv::BatchContext& context) const;

  /// N slots of upload `upload` from a flat tensor [c_in][h][w].
  void encode_input(std::size_t upload, std::span<const std::uint64_t> tensor,
                    std::span<std::uint64_t> slots) const;
  /// N slots modulo p of weight plaintext `index`, from weights[c_out][c_in / groups][kernel_h][kernel_w].
  void encode_weights(std::size_t index, std::span<const std::int16_t> weights, std::uint64_t p,
                      std::span<std::uint64_t> slots) const;

  /// The replies' ciphertexts. `performed`, if any, receives the operations as they were done.
  std::vector<rlwe::Ciphertext> evaluate(std::span<const rlwe::Ciphertext> uploads,
                                         std::span<const rlwe::Plaintext> weights,
                                         const rlwe::GaloisKeys& keys, SimdCounts* performed = nullptr) const;

  /// Which slots of reply `reply` hold which outputs; each output occurs once over all replies.
  std::vector<OutputPosition> reads(std::size_t reply) const;

 private:
  struct Tap {
    int row, column;  ///< offset in the phase's map, or place in the kernel for shifted copies
  };
  /// How the map lies in slots, whatever n.
  struct Map {
    int phases_h = 1, phases_w = 1;
    int rows = 0, pitch = 0;
    std::vector<Tap> taps;
    std::int64_t slots() const { return std::int64_t{rows} * pitch; }
  };
  static Map map_of(const Geometry& geometry, SimdConvMethod method);
  /// c_n for channels of the input (phases counted) and of the output.
  static std::size_t channels_of(const Geometry& geometry, const Map& map, std::uint32_t n);
  static std::size_t diagonals_of(const Geometry& geometry, const Map& map, std::size_t channels);
  static bool sends_copies(SimdConvMethod method) { return method >= SimdConvMethod::shifted_copies; }
  bool copies() const { return sends_copies(method_); }
  std::size_t taps() const { return taps_.size(); }
  int slot_offset(const Tap& tap) const { return tap.row * pitch_ + tap.column; }
  /// A diagonal of the weights: one input group, rotated one way, to one output group.
  std::size_t diagonal_index(std::size_t out, std::size_t swap, std::size_t shift, std::size_t in) const {
    return ((out * 2 + swap) * (channels_ / 2) + shift) * groups_in_ + in;
  }
  void find_diagonals();
  /// Whether some input group of [first, last) has a diagonal there.
  bool uses(std::size_t out, std::size_t swap, std::size_t shift, std::size_t first, std::size_t last) const;
  /// Whether some output group needs an input group rotated that way.
  bool rotates_input(std::size_t in, std::size_t swap, std::size_t shift) const;
  /// Input groups that are added up before rotations of sums, and what they then need for one output group.
  std::size_t step_of_sum() const {
    return method_ == SimdConvMethod::shifted_copies_published ? 1 : groups_in_;
  }
  std::int64_t rotations_of_sum(std::size_t out, std::size_t first, std::size_t last) const;
  /// Index of the weight that takes `channel` to output `out`, or -1 if there is none.
  std::int64_t weight_at(std::size_t out, std::size_t channel, const Tap& tap) const;
  bool inside(std::size_t channel, const Tap& tap, int y, int x) const;
  using Rotated = std::vector<std::optional<rlwe::Ciphertext>>;
  std::vector<Rotated> rotated_inputs(std::span<const rlwe::Ciphertext> uploads, const rlwe::GaloisKeys& keys,
                                      SimdCounts& done) const;

  Geometry geometry_;
  SimdConvMethod method_;
  std::size_t n_;
  int phases_h_ = 1, phases_w_ = 1;
  std::vector<Tap> taps_;
  int pitch_ = 0;
  std::size_t channels_ = 0, span_ = 0;
  std::size_t groups_in_ = 0, groups_out_ = 0;
  static constexpr std::uint32_t kUnused = ~std::uint32_t{0};
  static constexpr std::size_t kMaxDiagonals = std::size_t{1} << 24;
  std::vector<std::uint32_t> first_weight_;  ///< by diagonal_index, or kUnused
  std::vector<std::uint32_t> diagonals_;     ///< those with weights, ascending; each has one plaintext a tap
};

}  // namespace ap::linear
