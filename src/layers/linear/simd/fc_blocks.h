// A matrix of any size as blocks that fit the slots: rows in blocks of at most N/2 outputs, columns, for the
// methods that need them in one row, in blocks of at most N/2 inputs. All blocks are padded to one shape, so
// that they share the encryptions of the input.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/galois.h"
#include "layers/linear/simd/fc.h"

namespace ap::linear {

class SimdFcBlocks {
 public:
  /// @throws Error(input) if the sizes are not positive.
  SimdFcBlocks(int n_in, int n_out, SimdFcMethod method, std::uint32_t n);

  std::size_t uploads() const { return size_product(blocks_in_, block_.uploads()); }
  std::size_t replies() const { return blocks_out_; }
  std::size_t weight_plaintexts() const {
    return size_product(size_product(blocks_out_, blocks_in_), block_.weight_plaintexts());
  }
  SimdCounts counts() const;
  std::vector<std::uint32_t> elements(const bfv::BatchContext& context) const {
    return block_.elements(context);
  }

  /// N slots of upload `upload` from the n_in values.
  void encode_input(std::size_t upload, std::span<const std::uint64_t> vector,
                    std::span<std::uint64_t> slots) const;
  /// N slots of weight plaintext `index`, from weights[n_out][n_in].
  void encode_weights(std::size_t index, std::span<const std::int16_t> weights, std::uint64_t p,
                      std::span<std::uint64_t> slots) const;
  std::vector<rlwe::Ciphertext> evaluate(std::span<const rlwe::Ciphertext> uploads,
                                         std::span<const rlwe::Plaintext> weights,
                                         const rlwe::GaloisKeys& keys) const;
  /// Of reply `reply`; all have the same.
  SimdTerms terms(std::size_t reply) const;
  std::vector<OutputPosition> reads(std::size_t reply) const;

 private:
  int n_in_, n_out_;
  int block_in_, block_out_;  ///< shape of a block
  std::size_t blocks_in_, blocks_out_;
  SimdFc block_;
};

}  // namespace ap::linear
