// Mutations that keep JSON well formed: a fuzzer that flips bytes seldom gets past a parser's first check.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace ap::fuzz {

/// Changes one value somewhere in `json`: another number, another type, an element more or less, a value of
/// elsewhere.
void mutate_json(nlohmann::json& json, unsigned seed);

/// A Target::mutate for inputs that are JSON texts. Every fourth mutation is one of libFuzzer's own.
std::size_t mutate_json_text(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);

}  // namespace ap::fuzz
