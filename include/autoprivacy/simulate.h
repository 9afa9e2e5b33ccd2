// How accurate a compiled network is, without cryptography. Both functions need the server's package, which
// holds the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "autoprivacy/error.h"
#include "autoprivacy/images.h"
#include "autoprivacy/progress.h"

namespace autoprivacy {

struct SimulateOptions {
  int seeds = 5;                 ///< how often each image is run, 1 to 1000
  std::uint64_t first_seed = 1;  ///< the seeds are first_seed, first_seed + 1, ...
  ProgressCallback progress;
};

/// The end points of a 95 % confidence interval, 0 to 1.
struct Interval {
  double low = 0, high = 1;
};

/// What private inferences would give. Fractions are 0 to 1; what needs labels is absent without them.
struct Simulation {
  std::size_t images = 0;
  std::size_t seeds = 0;
  std::optional<double> top1;        ///< images whose private label is right, the mean over the seeds
  std::optional<double> top1_clear;  ///< the same of the integer network without errors
  std::vector<double> top1_by_seed;
  std::optional<Interval> top1_interval;  ///< for one private run over as many images
  std::optional<double> loss;             ///< top1_clear - top1; below 0 if errors happen to help
  std::optional<double> loss_std_error;   ///< standard error of `loss`, over images
  double agreement = 0;                   ///< runs whose label is that of the integer network without errors
  Interval agreement_interval;
  double wrapped = 0;  ///< runs in which some number left its modulus
  double seconds = 0;  ///< that the simulation took
};

/// Runs images through the integer network with the errors that private inferences make. The result depends
/// on the package, the images and the seeds alone.
/// @throws Error(input) if the package cannot be used or is a client's, or the images or an option do not
/// fit.
Simulation simulate(const std::filesystem::path& server_package, const Images& images,
                    const SimulateOptions& options = {});
/// The same of a package in memory. @throws as the other.
Simulation simulate(std::span<const std::uint8_t> server_package, const Images& images,
                    const SimulateOptions& options = {});

/// What the integer network says of one image, without errors and without cryptography.
struct ClearResult {
  int label = 0;               ///< the best class, counted from 0; the first of equals
  std::vector<double> scores;  ///< of every class, as the model gives them
};

/// Runs images through the integer network in the clear, to compare private results with.
/// @throws Error(input) if the package cannot be used or is a client's, or the images do not fit.
std::vector<ClearResult> classify_in_clear(const std::filesystem::path& server_package, const Images& images);
/// The same of a package in memory. @throws as the other.
std::vector<ClearResult> classify_in_clear(std::span<const std::uint8_t> server_package,
                                           const Images& images);

}  // namespace autoprivacy
