// A network of three layers, served by each engine: what session targets run.
#pragma once

#include "fuzz/support/script.h"
#include "package/package.h"

namespace ap::fuzz {

/// 1x4x4 image, convolution, ReLU, fully connected layer to 3 classes. `engine`: gc or ot; `label`: the
/// client learns the best class alone.
package::Package tiny_package(const char* engine, bool label);
/// The same with its layers packed by slots.
package::Package tiny_batched_package();

/// A client that prepares and runs two inferences, or with `stores` one that lay in the stores of both
/// parties in between, and a server that grants three.
Protocol session_of(const package::Package& package, bool stores);
/// The scene of that session.
Scene scene_of(const package::Package& package, bool stores = false);

}  // namespace ap::fuzz
