// What a consistency check of the oblivious transfers throws when the other party has deviated from the
// protocol, or has been lucky: an Error of its own type, because the operator of a server counts it
// (docs/deviating-parties.md: a failed check may tell a client as much as an answer).
#pragma once

#include "base/declassify.h"
#include "base/error.h"
#include "net/channel/channel.h"

namespace ap::mpc {

class FailedCheck : public Error {
 public:
  using Error::Error;
};

/// Whether all bytes of two values of equal size are equal; the time does not depend on where they differ.
inline bool equal_bytes(ByteView a, ByteView b) {
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  declassify(difference);  // whether a check held shows in whether the session goes on
  return difference == 0;
}

/// @param what  the part of the transfers that is not consistent
[[noreturn]] inline void fail_check(const net::Channel& channel, const char* what) {
  throw FailedCheck(
      ErrorCode::peer,
      fmt::format("{} failed the consistency check of {} in the oblivious transfers; all that this "
                  "session has prepared is destroyed: start a new session with a peer that keeps "
                  "to the protocol",
                  channel.peer(), what));
}

}  // namespace ap::mpc
