// The public interface's arguments as this program's own, and back.
#pragma once

#include <autoprivacy/images.h>
#include <autoprivacy/progress.h>

#include <string>
#include <vector>

#include "analysis/cost/profile.h"
#include "base/bytes.h"
#include "base/progress.h"
#include "nn/data/dataset.h"

namespace ap::app {

autoprivacy::Shape shape_of(const nn::Shape& shape);

/// Copies. Images of as many pixels fit a network that takes vectors.
/// @throws Error(input) unless they have the shape `expected`, numbers agree, and pixels are of one kind.
nn::Dataset dataset_of(const autoprivacy::Images& images, const nn::Shape& expected);

/// Empty if `callback` is.
ProgressSink sink_of(const autoprivacy::ProgressCallback& callback);

/// Unit costs of a JSON text, or typical ones of an empty text. @throws Error(input)
cost::Profile profile_of(const std::string& unit_costs);

}  // namespace ap::app
