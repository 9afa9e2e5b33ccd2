// What a report shows of a package's plan.
#pragma once

#include "package/package.h"
#include "report/data.h"

namespace ap::report {

/// The layers of the plan in the order of the network, security by our own estimate. `label` names the
/// network if the package does not.
PlanView view_of(const package::Package& package, const std::string& source, const std::string& label);

}  // namespace ap::report
