#include "analysis/cost/silent_stream.h"

#include <algorithm>

#include "mpc/ot/column_check.h"
#include "mpc/ot/cot.h"
#include "mpc/ot/silent_cot.h"
#include "net/channel/channel.h"

namespace ap::cost {

SilentUse SilentUse::operator-(const SilentUse& before) const {
  return {base_columns - before.base_columns,     small_rows - before.small_rows,
          large_rows - before.large_rows,         small_messages - before.small_messages,
          large_messages - before.large_messages, checks - before.checks,
          bytes_sent - before.bytes_sent,         bytes_received - before.bytes_received};
}

std::uint64_t column_message_bytes(std::uint64_t count) {
  // The mask's tile and the check are messages of their own.
  const std::uint64_t messages = 2 + (count + mpc::kCotsPerMessage - 1) / mpc::kCotsPerMessage;
  return mpc::cot_bytes(mpc::kCotTile) + mpc::cot_bytes(count) + mpc::ColumnCheck::kMessageBytes +
         messages * net::kHeaderBytes;
}

void SilentStream::draw_from(Iterations& at, std::uint64_t count, std::uint64_t& rows,
                             std::uint64_t& messages) {
  while (count > at.left) {
    count -= at.left;
    if (at.tree == at.set.t) {
      finish();
      at.tree = at.reserved = 0;
    }
    unchecked_ = true;
    const std::uint64_t trees = std::min<std::uint64_t>(mpc::kTreesPerMessage, at.set.t - at.tree);
    const std::uint64_t made = trees * at.set.bin();
    at.tree += trees;
    const std::uint64_t kept = std::min<std::uint64_t>(made, at.set.seeds() - at.reserved);
    at.reserved += kept;
    at.left = made - kept;
    rows += made;
    ++messages;
    total_.bytes_sent += trees * static_cast<std::uint64_t>(at.set.bin_bits) * 16 + net::kHeaderBytes;
  }
  at.left -= count;
}

void SilentStream::finish() {
  if (!unchecked_) return;
  unchecked_ = false;
  ++total_.checks;
  total_.bytes_received +=
      column_message_bytes(mpc::TreeCheck::kCots) + mpc::TreeCheck::kChallengeBytes + net::kHeaderBytes;
  total_.bytes_sent += mpc::TreeCheck::kAnswerBytes + net::kHeaderBytes;
}

void SilentStream::draw(std::uint64_t count) {
  if (count == 0) return;
  used_ += count;
  if (!large_.started) {
    if (!small_.started) {
      small_.started = true;
      total_.base_columns = mpc::kSmallLpn.seeds();
      total_.bytes_received += column_message_bytes(total_.base_columns);
    }
    if (std::max(used_, expected_) > mpc::kLargeLpnFrom) {
      draw_from(small_, mpc::kLargeLpn.seeds(), total_.small_rows, total_.small_messages);
      finish();
      large_.started = true;
    }
  }
  if (large_.started) {
    draw_from(large_, count, total_.large_rows, total_.large_messages);
  } else {
    draw_from(small_, count, total_.small_rows, total_.small_messages);
  }
}

}  // namespace ap::cost
