// The check of the trees of silent OTs, against a sender that corrupts them: Ferret (Yang, Weng, Lan,
// Zhang, Wang, CCS 2020, eprint 2020/924, figure 7), in two steps so that a tree is hashed while it lies in
// the cache and many trees are compared at once.
//
// The receiver's leaves w and the sender's v differ at the receiver's position alone, by Delta. As soon as a
// tree is made, both hash its leaves at a point that is the hash of its corrections (mpc/core/gf128.h); the
// receiver also keeps the power of the point at its position, p, so that W = V + p Delta. Later, for all
// trees since the last time:
//   receiver:  r random, x = sum r^i p_i + x*                               -> 32 bytes
//   sender:    a hash of sum r^i V_i + y* + x Delta                         -> 32 bytes
// and the receiver compares with the hash of sum r^i W_i + z*. Here z* = y* + x* Delta, from 128 transfers of
// mpc/ot/cot.h, as the bits of elements of the field; x* masks what x would tell about positions.
//
// That the point is a hash and no coin is what lets the tree go; a sender must then try 2^96 messages or more
// to make two different vectors of leaves hash to one. The coin r, drawn after all trees, keeps different
// trees from making up for each other. So what passes has one vector v for all positions that pass: a sender
// learns that the positions lie in a set with the probability that they do, and else the session ends.
// docs/deviating-parties.md has the proof.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "mpc/core/block.h"
#include "net/channel/channel.h"
#include "random/prng.h"
#include "random/session_key.h"

namespace ap::mpc {

struct TreeCheckMessages {
  net::MessageType challenge;  ///< receiver to sender
  net::MessageType answer;     ///< sender to receiver
};

/// What both roles keep.
class TreeCheck {
 public:
  /// Transfers that one comparison uses: choice in the lowest bit, the sender's lowest bit 0.
  static constexpr std::size_t kCots = 128;
  static constexpr std::size_t kChallengeBytes = 32;
  static constexpr std::size_t kAnswerBytes = 32;

  /// `session`: the part for this direction.
  TreeCheck(const TreeCheckMessages& messages, const SessionKey& session)
      : messages_(messages), session_(session.part("tree check")) {}

  /// Announces `count` trees; they are then added by number 0 .. count - 1, from any thread.
  void announce(std::size_t count);
  /// Trees not compared yet.
  std::size_t pending() const { return values_.size(); }

 protected:
  /// The point of one of the announced trees.
  Block point(std::size_t tree, ByteView corrections) const;
  Block& value(std::size_t tree) { return values_[first_ + tree]; }
  /// The hash that is compared.
  Seed digest(ByteView challenge, const Block& sum) const;
  void clear();

  TreeCheckMessages messages_;
  SessionKey session_;
  std::uint64_t compared_ = 0;  ///< trees that earlier comparisons settled
  std::size_t first_ = 0;       ///< number of the first announced tree among the pending ones
  SecretVector<Block> values_;  ///< V or W
};

class TreeCheckSender : public TreeCheck {
 public:
  using TreeCheck::TreeCheck;
  void add(std::size_t tree, ByteView corrections, std::span<const Block> leaves);
  /// Answers the receiver's challenge. @param cots  kCots transfers that serve nothing else
  void answer(net::Channel& channel, const Block& delta, std::span<const Block> cots);
};

class TreeCheckReceiver : public TreeCheck {
 public:
  using TreeCheck::TreeCheck;
  void announce(std::size_t count) {
    TreeCheck::announce(count);
    powers_.resize(pending());
  }
  /// `sides`: those of mpc/ot/ggm.h; the position is their complement.
  void add(std::size_t tree, ByteView corrections, std::uint32_t sides, std::span<const Block> leaves);
  /// Sends the challenge.
  void open(net::Channel& channel, std::span<const Block> cots, Prng& prng);
  /// Receives the answer to the last open(). @throws FailedCheck if it is wrong.
  void close(net::Channel& channel);

 private:
  SecretVector<Block> powers_;  ///< p
  Seed expected_{};
};

}  // namespace ap::mpc
