// A window for tests into what a party holds. Nothing in the programs installs one: shares are secret.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace ap::protocol {

/// Called with the index of a node and this party's share of its value (mod 2^modulus_bits of the node).
using Observer = std::function<void(int node, std::span<const std::uint64_t> share)>;

}  // namespace ap::protocol
