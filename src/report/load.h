// From the paths that a user names to the data of a report.
#pragma once

#include <string>
#include <vector>

#include "report/data.h"

namespace ap::report {

struct LoadOptions {
  bool measure_noise = true;  ///< of packages that hold weights
};

/// Each input is a path, or NAME=PATH to name the network of a package or search. A directory stands for what
/// a compilation leaves there: server.apm or else client.apm, and search.json. Files are told apart by their
/// content. The result is matched (match()).
/// @throws Error(input) naming the input that cannot be read or is nothing that a report is drawn from.
Data load(const std::vector<std::string>& inputs, const LoadOptions& options = {});

}  // namespace ap::report
