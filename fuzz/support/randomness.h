// Randomness that is the same in every run of an input. The program is linked so that getrandom(2), the only
// source of random_seed(), is answered from a counter of the calling thread.
#pragma once

#include <cstdint>

namespace ap::fuzz {

/// The calling thread starts over, as party number `party`: two parties on threads of their own draw what
/// they drew before, however the threads take turns.
void reset_randomness(std::uint32_t party);

}  // namespace ap::fuzz
