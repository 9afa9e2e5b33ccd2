// Correlated oblivious transfer by extension: SoftSpokenOT (Roy, CRYPTO 2022, eprint 2022/192, sections 4 to
// 6), safe against either party's deviations: mpc/ot/leaf_check.h when a session starts, mpc/ot/column_check.h in
// every extend. The sender holds Delta and gets q_i; the receiver holds choice bits c_i and gets t_i = q_i
// xor c_i Delta. Both streams only ever move forward, so no correlation is used twice in a session.
//
// Delta is cut into 128/f digits of f bits. For each of them the receiver knows 2^f pseudorandom strings r_x
// and the sender all but the one at its digit d (mpc/ot/pprf.h), so that
//   receiver: u = sum r_x, v = sum x r_x        sender: w = sum (x xor d) r_x = v xor d u
// and a correction c xor u of one bit for each transfer makes w the digit of q. IKNP (CRYPTO 2003) is f = 1.
// One transfer costs 16/f bytes and 2^f 128/f pseudorandom bits.
//
// The blocks are not hashed: the caller either hashes them or uses them as one-time pads of values that are
// themselves XOR-offset by Delta, as garbled inputs are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "mpc/core/block.h"
#include "mpc/ot/base_ot.h"

namespace ap::mpc {

/// Security parameter: columns of the extension matrix, bits of Delta.
inline constexpr std::size_t kCotColumns = 128;
/// f. With 4 the pseudorandom bits take about as long as f = 1 takes to send over a gigabit, at a quarter of
/// its bytes.
inline constexpr int kCotFieldBits = 4;
inline constexpr std::size_t kCotStrings = std::size_t{1} << kCotFieldBits;
inline constexpr std::size_t kCotDigits = kCotColumns / kCotFieldBits;
/// Transfers are made in whole tiles: a request is rounded up to a multiple of this.
inline constexpr std::size_t kCotTile = 128;
/// Transfers of one message: 1 MiB.
inline constexpr std::size_t kCotsPerMessage = std::size_t{1} << 18;
/// Refuse to extend one set of base OTs further than this.
inline constexpr std::uint64_t kMaxCots = std::uint64_t{1} << 40;

struct CotMessages {
  BaseOtMessages base;
  net::MessageType trees;    ///< receiver to sender, once: corrections of the trees, and their proof
  net::MessageType columns;  ///< receiver to sender: corrections c xor u
  net::MessageType answer;   ///< sender to receiver, once: that it has its leaves
  net::MessageType check;    ///< receiver to sender, in every extend: of the columns
};

/// Bytes of the corrections for `count` transfers. In front of them, in a message of their own, come those of
/// the check's mask, a tile.
constexpr std::uint64_t cot_bytes(std::uint64_t count) {
  return (count + kCotTile - 1) / kCotTile * kCotTile / 8 * kCotDigits;
}

class CotSender {
 public:
  /// Runs the base OTs. Delta is drawn from `prng` with its lowest bit set.
  /// @throws Error(peer) on a malformed message, FailedCheck if the trees are inconsistent.
  CotSender(net::Channel& channel, const CotMessages& messages, Prng& prng);

  /// Receives the columns of q.size() transfers and writes the blocks q_i.
  /// @throws FailedCheck if they are inconsistent; the blocks must not be used then.
  void extend(net::Channel& channel, std::span<Block> q);

  const Block& delta() const { return secret_[0]; }

 private:
  CotMessages messages_;
  SecretVector<Block> secret_;  ///< Delta alone, in memory that is wiped
  std::vector<Prng> strings_;   ///< by digit d and y != 0: the string y xor d
  std::uint64_t used_ = 0;
};

class CotReceiver {
 public:
  /// Runs the base OTs. @throws Error(peer) on a malformed message, FailedCheck if the sender has not
  /// its leaves.
  CotReceiver(net::Channel& channel, const CotMessages& messages, Prng& prng);

  /// Sends the columns for t.size() transfers and writes the blocks t_i. Choice i is bit i % 8 of choices[i /
  /// 8]; choices.size() must be ceil(t.size() / 8).
  void extend(net::Channel& channel, ByteView choices, std::span<Block> t);

 private:
  CotMessages messages_;
  std::vector<Prng> strings_;  ///< by digit and x
  Prng masks_;                 ///< of the checks
  std::uint64_t used_ = 0;
};

}  // namespace ap::mpc
