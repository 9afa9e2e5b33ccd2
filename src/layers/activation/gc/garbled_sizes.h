// What garbling an activation layer costs, exactly, as functions of its public specification.
#pragma once

#include <cstdint>

#include "layers/activation/activation_spec.h"

namespace ap::activation {

/// AND gates with two ciphertexts in the whole layer.
std::uint64_t and_gates(const ActivationSpec& spec);
/// Offline, server -> client: the OT extension columns.
std::uint64_t column_bytes(const ActivationSpec& spec);
/// Offline, client -> server: the garbled tables.
std::uint64_t table_bytes(const ActivationSpec& spec);
/// Online, server -> client: the choice bits.
std::uint64_t choice_bytes(const ActivationSpec& spec);
/// Online, client -> server: the labels of the server's share.
std::uint64_t label_bytes(const ActivationSpec& spec);

}  // namespace ap::activation
