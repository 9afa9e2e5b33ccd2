// How each policy looks in every figure: a colour, a dash pattern and a marker, so that colour never carries
// the meaning alone.
#pragma once

#include <string>
#include <string_view>

namespace ap::report {

/// The name of a policy as this version has it: files of earlier versions call `autoprivacy` published.
std::string policy_of_today(std::string name);

/// Order of policies in tables and legends: baselines first; unknown ones last.
int policy_rank(std::string_view policy);
/// Number of the policy's class of style ("c3" in style.cc), 0 to kStyles - 1.
inline constexpr int kStyles = 10;
int policy_style(std::string_view policy);
/// One line on what the policy is, or empty.
std::string_view policy_meaning(std::string_view policy);

/// An SVG path of a marker of style `style`, about 7 units large, centred at (x, y).
std::string marker_path(int style, double x, double y, double radius = 3.2);

}  // namespace ap::report
