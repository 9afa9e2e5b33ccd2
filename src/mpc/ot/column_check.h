// The check of an OT extension's columns, against a receiver that does not use the same choices for all
// digits of Delta: Roy (CRYPTO 2022, eprint 2022/192, section 5), with the hash of Keller, Orsini, Scholl
// (eprint 2015/546, as revised): a column is cut into blocks of 128 bits, which are the coefficients of a
// polynomial without constant term over GF(2^128) (mpc/core/gf128.h). For every call of extend:
//   1. the columns of one more tile whose choices are random, which masks what follows
//   2. the columns of the transfers, part by part; each part's point is a hash of the mask's columns and its
//   own
//   3. from the receiver: the hash of its choices, x, and of its 128 columns, t_j: sums over the parts, and
//   the
//      mask's tile as the constant term
//   4. the sender requires q_j = t_j + Delta_j x for the same sums q_j of its columns
//
// If a part's choices differ between two digits, so do their hashes, but for a chance of 128 / 2^128 for each
// point that the receiver tries: the point is drawn after the part, the mask and, as far as the receiver adds
// to what it has, all other parts are fixed. A digit with hash other than x passes only if the receiver has
// guessed it (it then knows what the sender's blocks are). So it learns k bits of Delta with probability
// 2^-k, and else the session ends. docs/deviating-parties.md has the proof.
#pragma once

#include <cstddef>
#include <span>

#include "base/bytes.h"
#include "mpc/core/block.h"
#include "mpc/core/gf128.h"
#include "random/prng.h"

namespace ap::mpc {

class ColumnCheck {
 public:
  static constexpr std::size_t kColumns = 128;
  static constexpr std::size_t kMessageBytes = (1 + kColumns) * sizeof(Block);

  /// `mask`: the columns of the mask's tile, as sent.
  explicit ColumnCheck(ByteView mask);

  /// The point of the next part, from its columns as sent.
  GfPowers point(ByteView columns);

  /// One column's or the choices' contribution of a part of `blocks` blocks.
  static Block hash(const Block* in, std::size_t blocks, const GfPowers& point) {
    return gf_multiply(gf_hash(in, blocks, point), point.x());
  }

  /// What was added up: of the choices (the receiver), of column j (both).
  Block& choices() { return sums_[kColumns]; }
  Block& column(std::size_t j) { return sums_[j]; }

  /// Receiver, at the end.
  Bytes message() const;
  /// Sender, at the end. @param message  kMessageBytes, from the receiver
  bool accepts(ByteView message, const Block& delta) const;

 private:
  Seed mask_;
  std::uint64_t parts_ = 0;
  SecretVector<Block> sums_;  ///< of the columns, then of the choices
};

}  // namespace ap::mpc
