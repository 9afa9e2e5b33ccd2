// The protocols that compute an activation on shares.
#pragma once

#include <cstdint>

namespace ap {

///   gc      garbled circuits: about a kilobyte an element, online one round trip
///   ot      silent oblivious transfers: tens of bytes an element, online several round trips
///   beaver  quadratic activations: squares of shares (Beaver), then as `ot`
/// The numbers are those of messages and of stored preprocessing.
enum class ActivationProtocol : std::uint8_t { gc = 0, ot = 1, beaver = 2 };

/// The name by which plans, reports and the command line call a protocol: "gc", "ot", "beaver".
const char* name_of(ActivationProtocol protocol);

/// The protocol whose state in a session serves it: quadratics share base OTs and streams with `ot`.
constexpr ActivationProtocol session_of(ActivationProtocol protocol) {
  return protocol == ActivationProtocol::beaver ? ActivationProtocol::ot : protocol;
}

}  // namespace ap
