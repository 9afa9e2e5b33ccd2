// compile --protocol he: a network for homomorphic encryption alone.
#pragma once

#include "cli/compile_options.h"
#include "package/package.h"

namespace ap::cli {

/// Compiles, writes both packages into options.out and prints what was chosen.
package::Pair compile_he(const CompileArguments& options);

}  // namespace ap::cli
