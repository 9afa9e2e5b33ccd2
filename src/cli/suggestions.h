// What somebody may have meant who mistyped a command or an option.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ap::cli {

/// The candidate that is nearest to the word, if few letters were left out, added, changed or swapped: one in a short word,
/// two in one of more than five letters.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean serve?", or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace ap::cli
