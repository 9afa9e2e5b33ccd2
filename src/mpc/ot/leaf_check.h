// The check that makes the small trees of mpc/ot/pprf.h safe against an owner that corrupts them (Roy, CRYPTO
// 2022, eprint 2022/192, section 6 (all-but-one transfers); Boyle et al., eprint 2019/1159, section 4), and a
// proof by the other party that it has its leaves.
//
//   owner:  a tag of 256 bits for each leaf; for each tree the XOR of its tags; one hash over all tags
//   other:  the tags of the leaves it has, the last one of each tree from the XOR; refuses another hash
//
// Tags and hash are values of a random oracle, so what passes has one vector of leaves for all holes that
// pass: an owner learns only that a hole lies in the set for which its corrections are right, which it must
// have guessed. The XOR shows the tag of the missing leaf, no bit of the leaf itself.
//
// The other party answers with a second hash over all tags. It cannot make it without a leaf key on each
// level of each tree, so it has chosen its holes before the owner relies on them, and nothing in it depends
// on them.
#pragma once

#include <cstddef>
#include <span>

#include "base/bytes.h"
#include "random/prng.h"

namespace ap::mpc {

/// Bytes of the owner's proof for `trees` trees.
constexpr std::size_t leaf_proof_bytes(std::size_t trees) { return (trees + 1) * sizeof(Seed); }

/// The tags of all leaves of one session's trees.
class LeafTags {
 public:
  LeafTags(std::size_t trees, std::size_t leaves) : leaves_(leaves), tags_(trees * leaves) {}

  /// Owner: tree number `tree` has these leaves.
  void set(std::size_t tree, std::span<const Seed> leaves);
  /// The other party: leaves[y] is the leaf number y xor hole, leaves[0] is missing, and `sum` is the owner's
  /// XOR of the tree's tags. No address or branch depends on `hole`.
  void set_punctured(std::size_t tree, std::uint32_t hole, std::span<const Seed> leaves,
                     const std::uint8_t* sum);

  /// The owner's proof, leaf_proof_bytes: the XORs, then the hash.
  Bytes proof() const;
  /// The owner's hash, at the end of its proof.
  Seed digest() const;
  /// The answer of the party that lacks a leaf.
  Seed answer() const;

 private:
  std::size_t trees() const { return tags_.size() / leaves_; }

  std::size_t leaves_;
  SecretVector<Seed> tags_;
};

}  // namespace ap::mpc
