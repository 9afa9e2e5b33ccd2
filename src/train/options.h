// How to train.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "train/samples.h"

namespace ap::train {

enum class Optimiser { sgd, adam };

struct EpochReport {
  std::string stage;
  std::int64_t epoch = 0, epochs = 0;  ///< counted from 1
  double loss = 0;                     ///< mean over the epoch
  double seconds_left = 0;             ///< estimate for the stage
};

struct TrainOptions {
  Optimiser optimiser = Optimiser::sgd;
  int epochs = 1;
  int batch = 128;
  double rate = 0.01;     ///< highest learning rate; a linear warm-up leads to it, half a cosine from it to 0
  double warm_up = 0.05;  ///< share of the steps
  double momentum = 0.9;  ///< of sgd, in Nesterov's form
  double weight_decay = 0;     ///< of all parameters
  double max_gradient = 0;     ///< larger values of gradients are cut off; 0: none are
  double label_smoothing = 0;  ///< 0 to 1
  double dropout = 0;          ///< before the last fully connected layer
  Augmentation augmentation;
  std::uint64_t seed = 1;
  /// Sums of floats, and so the result's last digits, depend on the number of threads. 0: as many as
  /// base/parallel.h uses.
  int threads = 0;

  std::filesystem::path checkpoint;  ///< written after every epoch and when stopped; empty: none
  bool resume = false;               ///< go on where the checkpoint stands, if there is one
  std::function<bool()> stop;        ///< asked before every step
  std::function<void(const EpochReport&)> on_epoch;
  bool progress = false;  ///< a bar on standard error
};

struct TrainReport {
  std::vector<double> losses;  ///< by epoch
  std::int64_t steps = 0;      ///< done, those before a resumption included
  bool stopped = false;
  double seconds = 0;  ///< of this run
};

/// Thrown when a loss is no longer a number: the learning rate is too high for this network.
class Diverged : public Error {
 public:
  using Error::Error;
};

/// @throws Error(input) naming the first option that is out of range.
void check(const TrainOptions& options);

}  // namespace ap::train
