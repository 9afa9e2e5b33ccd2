// Message types of the `one-trip` protocol; its silent OTs are those of `ot` (layers/activation/ot/ot_messages.h).
#pragma once

#include "net/channel/channel.h"

namespace ap::activation {

inline constexpr net::MessageType kOneTripTables =
    0x0338;  ///< client -> server, offline: masked tables of a step
inline constexpr net::MessageType kOneTripRepeated =
    0x0339;  ///< client -> server, offline: of repeated results
inline constexpr net::MessageType kOneTripChoices =
    0x033a;                                                ///< server -> client: its masked words and choices
inline constexpr net::MessageType kOneTripWords = 0x033b;  ///< client -> server: rows

}  // namespace ap::activation
