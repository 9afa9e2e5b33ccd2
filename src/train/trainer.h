// The training loop. Only for .cc files.
#pragma once

#include <string>

#include "train/model.h"
#include "train/options.h"

namespace ap::train {

/// Minimises the cross entropy of the samples' labels. The same model, samples, options and number of threads
/// give the same result, also over any number of stops and resumptions. `stage` names the work in reports and
/// is appended to the checkpoint's name.
/// @throws Error(input): options out of range, no samples, a checkpoint of something else; Diverged.
TrainReport train(Model& model, const Samples& samples, const TrainOptions& options,
                  const std::string& stage);

}  // namespace ap::train
