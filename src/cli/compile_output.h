// What `autoprivacy compile` tells of a compiled network, for people and as JSON (docs and scripts rely on its keys).
#pragma once

#include <string>

#include "app/audit.h"
#include "app/compile.h"
#include "cli/compile_options.h"

namespace ap::cli {

Json json_of(const app::Compiled& compiled, const app::Audit& audit, const CompileArguments& options);
std::string text_of(const app::Compiled& compiled, const app::Audit& audit, const CompileArguments& options);

}  // namespace ap::cli
