#pragma once

#include <string_view>

namespace ap::report {

/// The style sheet of a report: light and dark by the reader's preference, one column on a phone. All text
/// has a contrast of at least 4.5 to its background; the colours c0 to c9 are told apart without colour
/// vision by dash and marker (policy_style.h).
extern const std::string_view kStyleSheet;

}  // namespace ap::report
