// The public part of a package as JSON. Reading checks every field's presence, type and range, and that contexts and layouts
// are such that nothing computed with them leaves its bounds.
#pragma once

#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "he_only/package/package.h"

namespace ap::he_only {

nlohmann::json to_json(const Public& shared);
/// @throws Error(input)
Public public_from(const JsonReader& json);

}  // namespace ap::he_only
