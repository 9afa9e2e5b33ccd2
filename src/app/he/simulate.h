// The accuracy of a package of homomorphic encryption alone without cryptography: its polynomial network in the clear, with the
// noise of answers drawn as often as wanted.
#pragma once

#include <optional>
#include <vector>

#include "base/progress.h"
#include "he_only/package/package.h"
#include "nn/data/dataset.h"

namespace ap::app::he {

struct ClearRun {
  std::vector<std::vector<double>> scores;
  std::vector<int> labels;
  std::size_t overflows = 0;  ///< images of which some value left the range that its layer is made for
};
/// @param package  a server's
ClearRun run_clear(const he_only::Package& package, const nn::Dataset& images,
                   const ProgressSink& progress = {});

struct Simulation {
  std::size_t images = 0, overflows = 0;
  std::optional<double> top1, top1_clear;  ///< with noise, mean over the seeds; without
  double agreement = 0;                    ///< of labels with and without noise
  double seconds = 0;
};
Simulation simulate(const he_only::Package& package, const nn::Dataset& images, int seeds,
                    std::uint64_t first_seed, const ProgressSink& progress = {});

}  // namespace ap::app::he
