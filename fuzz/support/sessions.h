// A network of three layers, served by each protocol: what session targets run.
#pragma once

#include "fuzz/support/script.h"
#include "package/package.h"

namespace ap::fuzz {

/// 1x4x4 image, convolution, ReLU, fully connected layer to 3 classes. `protocol`: gc or ot; `label`: the
/// client learns the best class alone.
package::Package tiny_package(const char* protocol, bool label);
/// The same with its layers packed for SIMD.
package::Package tiny_simd_package();

/// A client that prepares and runs two inferences, or with `stores` one that lay in the stores of both
/// parties in between, and a server that grants three.
Protocol session_of(const package::Package& package, bool stores);
/// The scene of that session.
Scene scene_of(const package::Package& package, bool stores = false);

}  // namespace ap::fuzz
