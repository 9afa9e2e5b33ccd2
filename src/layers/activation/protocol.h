// The protocols that compute an activation on shares.
#pragma once

#include <cstdint>

namespace ap {

///   gc      garbled circuits: about a kilobyte an element, online one round trip
///   ot      silent oblivious transfers: tens of bytes an element, online several round trips
///   beaver  quadratic activations: squares of shares (Beaver), then as `ot`
///   one_trip  ("one-trip") as `ot`, with more bytes in one round trip
/// The numbers are those of messages and of stored preprocessing.
enum class ActivationProtocol : std::uint8_t { gc = 0, ot = 1, beaver = 2, one_trip = 3 };
inline constexpr ActivationProtocol kLastProtocol = ActivationProtocol::one_trip;

/// The name by which plans, reports and the command line call a protocol: "gc", "ot", "beaver", "one-trip".
const char* name_of(ActivationProtocol protocol);

/// The protocol whose state in a session serves it: all but garbling share base OTs and streams.
constexpr ActivationProtocol session_of(ActivationProtocol protocol) {
  return protocol == ActivationProtocol::gc ? ActivationProtocol::gc : ActivationProtocol::ot;
}

}  // namespace ap
