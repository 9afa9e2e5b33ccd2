// Correlated oblivious transfer by extension: Ishai, Kilian, Nissim, Petrank, "Extending Oblivious Transfers
// Efficiently" (CRYPTO 2003), in the correlated form of Asharov et al. (eprint 2016/602, section 5),
// semi-honest. The sender holds Delta and gets q_i; the receiver holds choice bits c_i and gets t_i = q_i xor
// c_i Delta. Both streams only ever move forward, so no correlation is used twice in a session.
//
// Cost: 16 bytes from receiver to sender per transfer. The blocks are not hashed: the caller either hashes
// them or uses them as one-time pads of values that are themselves XOR-offset by Delta, as garbled inputs
// are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "mpc/base_ot.h"
#include "mpc/block.h"

namespace ap::mpc {

/// Security parameter: rows of the extension matrix, bits of Delta.
inline constexpr std::size_t kCotColumns = 128;
/// Transfers are made in whole tiles: a request is rounded up to a multiple of this.
inline constexpr std::size_t kCotTile = 128;
/// Transfers of one message: 4 MiB.
inline constexpr std::size_t kCotsPerMessage = std::size_t{1} << 18;
/// Refuse to extend one set of base transfers further than this.
inline constexpr std::uint64_t kMaxCots = std::uint64_t{1} << 40;

struct CotMessages {
  BaseOtMessages base;
  net::MessageType columns;
};

/// Bytes the receiver sends for `count` transfers.
constexpr std::uint64_t cot_bytes(std::uint64_t count) {
  return (count + kCotTile - 1) / kCotTile * kCotTile * 16;
}

class CotSender {
 public:
  /// Runs the base transfers. Delta is drawn from `prng` with its lowest bit set.
  /// @throws Error(peer) on a malformed message.
  CotSender(net::Channel& channel, const CotMessages& messages, Prng& prng);

  /// Receives the columns of q.size() transfers and writes the blocks q_i.
  void extend(net::Channel& channel, std::span<Block> q);

  const Block& delta() const { return secret_[0]; }

 private:
  CotMessages messages_;
  SecretVector<Block> secret_;  ///< Delta alone, in memory that is wiped
  std::vector<Prng> columns_;
  std::uint64_t used_ = 0;
};

class CotReceiver {
 public:
  /// Runs the base transfers. @throws Error(peer) on a malformed message.
  CotReceiver(net::Channel& channel, const CotMessages& messages, Prng& prng);

  /// Sends the columns for t.size() transfers and writes the blocks t_i. Choice i is bit i % 8 of choices[i /
  /// 8]; choices.size() must be ceil(t.size() / 8).
  void extend(net::Channel& channel, ByteView choices, std::span<Block> t);

 private:
  CotMessages messages_;
  std::vector<Prng> zero_columns_;
  std::vector<Prng> one_columns_;
  std::uint64_t used_ = 0;
};

}  // namespace ap::mpc
