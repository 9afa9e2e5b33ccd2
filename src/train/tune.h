// Fine-tuning of a trained network from beginning to end: quadratics where wanted, then the integer network's
// grid, then the errors of a plan; and what each of them did to the accuracy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/quadratic.h"

namespace ap::train {

/// The network of a package and what its plan does to it.
struct PlannedNetwork {
  nn::QuantisedNetwork network;  ///< made from the graph by nn::quantise
  Errors errors;
  SeedHalves seeds;
};

struct TuneOptions {
  /// Epochs are those of the fine-tuning. With quadratics the first half of them (rounded up) is in float.
  TrainOptions train;
  int bits = 8;                           ///< of weights and activations
  std::size_t calibration = 128;          ///< images that the steps are chosen from
  QuadraticOptions quadratic;             ///< replace = 0: none
  std::optional<PlannedNetwork> planned;  ///< its grid and errors, instead of a new grid of `bits`
  std::function<void(const Candidate&)> on_candidate;
};

/// Accuracy on one set of images; fractions of 1.
struct TuneAccuracy {
  double in_float = 0;      ///< the float network
  IntegerAccuracy integer;  ///< on the grid, with the errors of the other half of the seeds
};

struct TuneResult {
  nn::Graph graph;  ///< tuned, for export
  nn::QuantisedNetwork
      network;  ///< the integer network of the last stage, or quantised anew after float alone
  std::vector<std::string> quadratics;  ///< names of the activations replaced
  std::vector<Candidate> candidates;
  TuneAccuracy before, after;  ///< on the validation images
  std::vector<TrainReport> stages;
  bool stopped = false;  ///< then only `stages` says something
};

/// @throws Error(input) for what does not fit together; Diverged.
TuneResult tune(const nn::Graph& graph, const Samples& train, const Samples& validation,
                const TuneOptions& options);

/// The integer network as nn::quantise makes it, from `count` of the samples.
nn::QuantisedNetwork quantise_with(const nn::Graph& graph, const Samples& samples, std::size_t count,
                                   int bits);

/// Accuracy of both forms of a network.
TuneAccuracy measure(const nn::Graph& graph, const nn::QuantisedNetwork& network, const Samples& samples,
                     const TuneOptions& options);

}  // namespace ap::train
