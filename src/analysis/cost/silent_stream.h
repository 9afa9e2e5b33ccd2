// How many rows, messages and bytes a direction of silent OTs takes: mpc/ot/silent_cot.h with counts in
// place of blocks. Exact, message by message, over a session of any number of inferences.
#pragma once

#include <cstdint>

#include "mpc/ot/cot.h"
#include "mpc/ot/leaf_check.h"
#include "mpc/ot/lpn.h"
#include "mpc/ot/pprf.h"
#include "net/channel/channel.h"

namespace ap::cost {

struct SilentUse {
  std::uint64_t base_columns = 0;  ///< transfers by OT extension, which seed the first iteration
  std::uint64_t small_rows = 0, large_rows = 0;
  std::uint64_t small_messages = 0, large_messages = 0;
  std::uint64_t checks = 0;          ///< of the trees, each with transfers by extension of its own
  std::uint64_t bytes_sent = 0;      ///< by the sender of the transfers, headers included
  std::uint64_t bytes_received = 0;  ///< by it
  SilentUse operator-(const SilentUse& before) const;
};

class SilentStream {
 public:
  void expect(std::uint64_t count) { expected_ += count; }
  void draw(std::uint64_t count);
  /// The end of an inference's preparation: checks the trees since the last time.
  void finish();
  /// What all draws so far took, without the base OTs.
  const SilentUse& total() const { return total_; }

 private:
  struct Iterations {
    mpc::LpnParameters set;
    std::uint64_t left = 0;      ///< rows of the last chunk not drawn yet
    std::uint64_t tree = 0;      ///< next tree of this iteration
    std::uint64_t reserved = 0;  ///< rows kept for the next iteration
    bool started = false;
  };
  void draw_from(Iterations& set, std::uint64_t count, std::uint64_t& rows, std::uint64_t& messages);

  Iterations small_{mpc::kSmallLpn}, large_{mpc::kLargeLpn};
  std::uint64_t expected_ = 0, used_ = 0;
  bool unchecked_ = false;  ///< some trees
  SilentUse total_;
};

/// Payload and headers of the base OTs of one direction: from the extension's receiver, who sends a
/// point, the corrections of its trees and their proof (mpc/ot/pprf.h, mpc/ot/leaf_check.h), and to it, the answer
/// included.
inline constexpr std::uint64_t kBaseSenderBytes = 32 + mpc::pprf_bytes(mpc::kCotDigits, mpc::kCotFieldBits) +
                                                  mpc::leaf_proof_bytes(mpc::kCotDigits) +
                                                  2 * net::kHeaderBytes;
inline constexpr std::uint64_t kBaseReceiverBytes = mpc::kCotColumns * 32 + 32 + 2 * net::kHeaderBytes;

/// Bytes of the columns of `count` extended transfers and their check, headers included.
std::uint64_t column_message_bytes(std::uint64_t count);

}  // namespace ap::cost
