// Matrix times vector, packed for SIMD: the diagonals of Halevi and Shoup (CRYPTO 2014), GAZELLE's hybrid
// (USENIX Security 2018, section 4.2) and baby steps with giant steps over either's diagonals.
//
// The sizes are padded to powers of two, n_o <= n_i. Slot t of one row holds input held(t); product k
// multiplies the input rotated by k with weights of output t mod n_o, so that it sees column held(t + k).
//   diagonal: held(t) = t mod n_i with n_o = n_i; n_i products, each in a slot of its own
//   hybrid:   N / n_i copies of the input, copy c turned by c D; D = n_i n_o / N products, then log2(N / n_o)
//             rotations that add the slots of one output, the last of them the swap of the rows
// Baby steps rotate the input by k mod b, giant steps the sums of products by multiples of b.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/galois.h"
#include "layers/linear/simd/conv.h"

namespace ap::linear {

enum class SimdFcMethod { diagonal, hybrid, diagonal_baby_giant, hybrid_baby_giant };

class SimdFc {
 public:
  /// @throws Error(input) if the sizes are not positive or do not fit: n_out <= N/2, and n_in <= N/2 for
  /// diagonals.
  SimdFc(int n_in, int n_out, SimdFcMethod method, std::uint32_t n);

  SimdCounts counts() const;
  /// What the noise of the reply is the sum of.
  SimdTerms terms() const;
  std::size_t uploads() const { return blocks_; }
  std::size_t weight_plaintexts() const { return size_product(blocks_, products_); }
  std::vector<std::uint32_t> elements(const bfv::BatchContext& context) const;

  void encode_input(std::size_t upload, std::span<const std::uint64_t> vector,
                    std::span<std::uint64_t> slots) const;
  /// N slots of weight plaintext `index`, from weights[n_out][n_in].
  void encode_weights(std::size_t index, std::span<const std::int16_t> weights, std::uint64_t p,
                      std::span<std::uint64_t> slots) const;
  rlwe::Ciphertext evaluate(std::span<const rlwe::Ciphertext> uploads,
                            std::span<const rlwe::Plaintext> weights, const rlwe::GaloisKeys& keys,
                            SimdCounts* performed = nullptr) const;
  /// Output o is in slot o of the reply.

 private:
  bool diagonal() const {
    return method_ == SimdFcMethod::diagonal || method_ == SimdFcMethod::diagonal_baby_giant;
  }
  std::size_t held(std::size_t row, std::size_t column) const;

  int n_in_, n_out_;
  SimdFcMethod method_;
  std::size_t row_;               ///< N / 2
  std::size_t in_ = 0, out_ = 0;  ///< padded
  std::size_t blocks_ = 1;        ///< ciphertexts of the input
  std::size_t products_ = 0;      ///< D
  std::size_t baby_ = 0;
};

}  // namespace ap::linear
