// The whole report: one HTML file that needs nothing else, runs no script and loads nothing.
#pragma once

#include <string>

#include "report/data.h"

namespace ap::report {

/// The page for data to which match() was applied. `command` is shown as how to make it again.
/// @throws Error(input) if there is nothing to draw.
std::string page(const Data& data, const std::string& command);

}  // namespace ap::report
