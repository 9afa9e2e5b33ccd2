// Training of networks: in float, from scratch or with activations on their way to quadratics, and of the
// integer network with the errors that private inference makes. Nothing here brings in libtorch's headers.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "analysis/noise/interval.h"
#include "nn/ir/quantised_network.h"
#include "train/errors.h"
#include "train/options.h"

namespace ap::train {

/// The largest class label must be below the network's outputs, images of its input's shape.
/// @throws Error(input) if they are not.
void check(const Samples& samples, const nn::Graph& graph);

/// Logits of the differentiable executor, count x classes, as nn::logits gives them.
std::vector<float> differentiable_logits(const nn::Graph& graph, std::span<const float> images);

struct FloatOptions {
  /// Affine nodes are batch normalisations to be trained and are folded away afterwards; otherwise they stay
  /// as they are.
  bool batch_normalisation = false;
  /// By node, or empty: the quadratics that take the place of clips.
  std::vector<std::optional<nn::QuadraticOp>> replaced;
  /// Share of the steps over which they do so gradually (DELPHI's blending); afterwards they stand alone.
  double blend_share = 0.6;
};

struct FloatResult {
  nn::Graph graph;
  TrainReport report;
};
/// Trains all weights and biases in float.
/// @throws Error(input) as train(), or if a node of `replaced` is no clip.
FloatResult train_float(const nn::Graph& graph, const Samples& samples, const TrainOptions& options,
                        const FloatOptions& float_options = {}, const std::string& stage = "float");

struct QuantisedOptions {
  int weight_bits = 8;                     ///< those of nn::quantise
  Errors errors = {};                      ///< injected while training; empty: none
  std::vector<std::uint64_t> seeds = {1};  ///< of errors: epoch e uses seed e modulo their number
};

struct QuantisedResult {
  nn::Graph graph;               ///< with the float weights: for export
  nn::QuantisedNetwork network;  ///< on the grid it was trained on
  TrainReport report;
};
/// Quantisation-aware training of `graph`, from which nn::quantise made `network`: forward on the integer
/// network's grid, with the errors, gradients straight through. Scales, shifts and what bias correction added
/// stay. One call with one epoch on a subset is the step of an exploring search.
QuantisedResult tune_quantised(const nn::Graph& graph, const nn::QuantisedNetwork& network,
                               const Samples& samples, const TrainOptions& options,
                               const QuantisedOptions& quantised, const std::string& stage = "quantised");

/// Logits of the quantised differentiable executor in real units, with the errors of one seed.
std::vector<float> quantised_logits(const nn::Graph& graph, const nn::QuantisedNetwork& network,
                                    int weight_bits, std::span<const float> images, const Errors& errors,
                                    std::uint64_t seed, std::span<const std::uint64_t> numbers);

/// Fraction of the samples whose best class in float is their label.
double float_accuracy(const nn::Graph& graph, const Samples& samples);

struct IntegerAccuracy {
  std::size_t images = 0;
  double clear = 0;             ///< without errors
  std::vector<double> by_seed;  ///< with errors
  double mean = 0;              ///< over seeds; `clear` without errors
  noise::Proportion interval;   ///< Clopper-Pearson 95 % for one run over as many images
};
/// By the integer executor, with the errors of each seed (an image's number is its place in the data set).
IntegerAccuracy integer_accuracy(const nn::QuantisedNetwork& network, const Samples& samples,
                                 const Errors& errors, std::span<const std::uint64_t> seeds);

}  // namespace ap::train
