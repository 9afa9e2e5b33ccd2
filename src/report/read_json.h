// Reads the JSON files that a report is drawn from. They are not trusted: numbers must lie in ranges that
// make sense, lists have limits, and a file that breaks a rule is refused with the key that does.
#pragma once

#include <nlohmann/json.hpp>

#include "report/data.h"

namespace ap::report {

using Json = nlohmann::json;

/// Adds what a parsed file holds, detected by its keys: "rows" (results.json of bench/results), "evaluations"
/// (search.json of a search) or "layers" (what `compile --json` printed). `source` is named in the figures;
/// `label` names a search's network.
/// @throws Error(input) naming the file and the key that is wrong, or the three kinds if it is none of them.
void read_json(const Json& json, const std::string& source, const std::string& label, Data& data);

}  // namespace ap::report
