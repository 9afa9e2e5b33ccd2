#include "train/tune.h"

#include "base/error.h"
#include "nn/quantise/quantise.h"

namespace ap::train {
namespace {

constexpr int kPackageWeightBits = 8;  // of every network that `compile` quantises

/// The epochs in float and those on the grid.
std::pair<int, int> stages_of(const TuneOptions& options) {
  const int epochs = options.train.epochs;
  if (options.quadratic.replace == 0) return {0, epochs};
  return {(epochs + 1) / 2, epochs / 2};
}

}  // namespace

nn::QuantisedNetwork quantise_with(const nn::Graph& graph, const Samples& samples, std::size_t count,
                                   int bits) {
  const Samples some = subset(samples, count);
  std::vector<nn::Tensor> images;
  for (std::size_t i = 0; i < some.size(); ++i) images.push_back(image(some, i));
  return nn::quantise(graph, images, {.weight_bits = bits, .activation_bits = bits, .equalise = false});
}

TuneAccuracy measure(const nn::Graph& graph, const nn::QuantisedNetwork& network, const Samples& samples,
                     const TuneOptions& options) {
  static const Errors none;
  const Errors& errors = options.planned ? options.planned->errors : none;
  const std::vector<std::uint64_t> seeds =
      options.planned ? options.planned->seeds.evaluate : std::vector<std::uint64_t>{};
  return {float_accuracy(graph, samples), integer_accuracy(network, samples, errors, seeds)};
}

TuneResult tune(const nn::Graph& graph, const Samples& train, const Samples& validation,
                const TuneOptions& options) {
  check(options.train);
  check(train, graph);
  if (validation.size() == 0) fail_input("fine-tuning needs validation images to be judged by");
  if (options.planned && options.quadratic.replace > 0) {
    fail_input(
        "a plan is of one network: replace activations first, compile the result, then tune it with its plan");
  }
  TuneResult result;
  result.graph = graph;
  result.network = options.planned ? options.planned->network
                                   : quantise_with(graph, train, options.calibration, options.bits);
  result.before = measure(graph, result.network, validation, options);
  const auto [float_epochs, grid_epochs] = stages_of(options);
  TrainOptions stage = options.train;
  if (options.quadratic.replace > 0) {
    QuadraticResult chosen =
        choose_quadratics(graph, train, validation, options.quadratic, options.train, options.on_candidate);
    result.candidates = std::move(chosen.candidates);
    result.stopped = chosen.stopped;
    if (result.stopped) return result;
    for (const int node : result.candidates[chosen.best].nodes) {
      result.quadratics.push_back(graph.nodes[static_cast<std::size_t>(node)].name);
    }
    stage.epochs = float_epochs;
    FloatResult tuned = train_float(chosen.graph, train, stage);
    result.stages.push_back(tuned.report);
    result.stopped = tuned.report.stopped;
    if (result.stopped) return result;
    result.graph = std::move(tuned.graph);
    result.network = quantise_with(result.graph, train, options.calibration, options.bits);
  }
  if (grid_epochs > 0) {
    stage.epochs = grid_epochs;
    QuantisedOptions grid{.weight_bits = options.bits};
    if (options.planned) grid = {kPackageWeightBits, options.planned->errors, options.planned->seeds.train};
    QuantisedResult tuned = tune_quantised(result.graph, result.network, train, stage, grid);
    result.stages.push_back(tuned.report);
    result.stopped = tuned.report.stopped;
    if (result.stopped) return result;
    result.graph = std::move(tuned.graph);
    result.network = std::move(tuned.network);
  }
  result.after = measure(result.graph, result.network, validation, options);
  return result;
}

}  // namespace ap::train
