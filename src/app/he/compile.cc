#include "app/he/compile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "app/he/layer_reports.h"
#include "app/he/ranges.h"
#include "base/error.h"
#include "he/circuits/bootstrap_parameters.h"
#include "he_only/plan/choose.h"
#include "he_only/plan/noise.h"
#include "nn/data/accuracy.h"
#include "nn/data/labels.h"
#include "nn/execute/float_executor.h"
#include "protocol/he/server.h"
#include "security/limits.h"

namespace ap::app::he {
namespace {

using he_only::Polynomial;
using he_only::Step;
using he_only::Structure;

constexpr double kDefaultInferences = 1 << 20;
// Of what a score's noise may be, as a fraction of the largest score.
constexpr double kLargestError = 1.0 / 256;
// Degree of what stands for a smooth activation on its range.
constexpr int kSmoothDegree = 27;
// Special primes of linear layers between bootstraps, few as their levels are.
constexpr std::size_t kBottomSpecial = 3;

double weights_of(const nn::Graph& graph) {
  std::size_t count = 0;
  for (const nn::Node& node : graph.nodes) {
    if (const auto* conv = std::get_if<nn::ConvOp>(&node.op)) count += conv->weights.size();
    if (const auto* fc = std::get_if<nn::FullyConnectedOp>(&node.op)) count += fc->weights.size();
  }
  return static_cast<double>(count);
}

// Of an activation whose argument lies in [low, high].
Polynomial polynomial_for(const nn::Node& node, double low, double high, const CompileOptions& options,
                          const circuits::CompositeSign& sign) {
  const double widest = std::max({std::abs(low), std::abs(high), 1e-6}) * options.range_margin;
  if (const auto* quadratic = std::get_if<nn::QuadraticOp>(&node.op)) {
    return he_only::Quadratic{quadratic->c0, quadratic->c1, quadratic->c2};
  }
  if (const auto* clip = std::get_if<nn::ClipOp>(&node.op)) {
    if (clip->low == 0 && double{clip->high} >= high)
      return he_only::CompositeRelu{widest, options.relu_bits, sign};
    return circuits::interpolate(
        [clip](long double x) {
          return std::min(std::max(x, static_cast<long double>(clip->low)),
                          static_cast<long double>(clip->high));
        },
        -widest, widest, kSmoothDegree);
  }
  const auto& smooth = std::get<nn::SmoothOp>(node.op);
  return circuits::interpolate(
      [&smooth](long double x) { return nn::smooth(smooth, static_cast<double>(x)); }, -widest, widest,
      kSmoothDegree);
}

bool needs_sign(const Structure& structure) {
  return std::ranges::any_of(structure.steps(), [&](const Step& step) {
    return std::holds_alternative<nn::ClipOp>(
        structure.graph().nodes[static_cast<std::size_t>(step.node)].op);
  });
}

// Bounds of |value - shift| by step, and mean squares in those units.
void set_ranges(const Structure& structure, const Ranges& seen, double margin, he_only::Choices& choices,
                std::vector<double>& mean_squares) {
  const std::size_t count = structure.steps().size();
  std::vector<double> shift(count);
  for (std::size_t s = 0; s < count; ++s) {
    const Step& step = structure.steps()[s];
    if (step.kind != Step::Kind::activation) continue;
    const auto argument = static_cast<std::size_t>(step.argument);
    if (const auto* quadratic = std::get_if<he_only::Quadratic>(&*choices.polynomials[s])) {
      shift[argument] = -quadratic->c1 / (2 * quadratic->c2);
    }
  }
  choices.largest.clear();
  mean_squares.clear();
  for (std::size_t s = 0; s < count; ++s) {
    const double widest = std::max(std::abs(seen.low[s] - shift[s]), std::abs(seen.high[s] - shift[s]));
    // The image is cut to its range, so it needs no margin.
    choices.largest.push_back(std::max(1e-6, widest * (s == 0 ? 1 : margin)));
    mean_squares.push_back((seen.mean_square[s] + shift[s] * shift[s]) /
                           (choices.largest[s] * choices.largest[s]));
  }
}

// The same network with a bootstrap before every activation, as many inferences as its noise leaves room for.
he_only::Chosen bootstrapped(const Structure& structure, he_only::Choices choices,
                             const std::vector<double>& mean_squares, he_only::Request request, bool fixed,
                             std::vector<std::string>& notes) {
  std::string reason;
  for (const char* name : {"R15", "R16", "R16b"}) {
    const std::uint32_t n = circuits::BootstrapParameters(name, 1024).n();
    he_only::Chosen chosen;
    chosen.shaped = he_only::shape(structure, n / 2);
    choices.ring = {n, 0, 0, kBottomSpecial, 0, name, std::max<std::size_t>(1024, chosen.shaped.period())};
    chosen.choices = choices;
    try {
      chosen.program = he_only::make_program(structure, chosen.shaped, choices);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::input) throw;
      reason = error.what();
      continue;
    }
    he_only::choose_flooding(structure, mean_squares, request, chosen);
    if (chosen.slot_error > request.largest_error && !fixed) {
      // Noise grows with the square root of the inferences.
      while (chosen.slot_error > request.largest_error && request.inferences > 1) {
        request.inferences = std::floor(request.inferences / 2);
        he_only::choose_flooding(structure, mean_squares, request, chosen);
      }
      notes.push_back(fmt::format(
          "the noise of bootstrapping leaves room for {:.0f} inferences that keep the weights private at the precision of "
          "the scores; the server counts them",
          request.inferences));
    }
    if (chosen.slot_error > request.largest_error) {
      fail_input(
          "scores would have errors of {:.2g} of the largest one if the weights were hidden over {:.0f} inferences: lower "
          "--privacy-inferences",
          chosen.slot_error, request.inferences);
    }
    chosen.lambda_bits = security::lambda_bits(n, chosen.program.log2_qp());
    return chosen;
  }
  fail_input("{}", reason);
}

}  // namespace

Compiled compile(const nn::Graph& graph, const nn::Dataset& calibration,
                 const nn::Normalization& normalization, const CompileOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if (calibration.size() == 0) fail_input("no calibration image was selected");
  if (options.policy != "uniform") {
    fail_input("--protocol he offers the policy uniform, not {}", options.policy);
  }
  if (options.relu_bits < 4 || options.relu_bits > 14) {
    fail_input("a ReLU of {} bits is not offered: choose 4 to 14", options.relu_bits);
  }
  const auto classes = static_cast<std::size_t>(graph.output_shape().size());
  if (!options.labels.empty() && options.labels.size() != nn::classes_of(classes)) {
    fail_input("{} class names were given, but the network has {} outputs", options.labels.size(), classes);
  }
  nn::check_labels(calibration.labels, classes, calibration.source);
  const Structure structure(graph);
  const he_only::ClearNetwork clear(structure);
  Compiled result;
  result.images = calibration.size();

  he_only::Choices choices;
  choices.polynomials.resize(structure.steps().size());
  for (std::size_t s = 0; s < choices.polynomials.size(); ++s) {
    const Step& step = structure.steps()[s];
    const auto given = options.polynomials.find(step.node);
    if (step.kind == Step::Kind::activation && given != options.polynomials.end())
      choices.polynomials[s] = given->second;
  }
  const Ranges exact =
      observe(structure, clear, calibration, normalization, choices.polynomials, options.progress, "ranges");
  const circuits::CompositeSign sign =
      needs_sign(structure) ? circuits::sign_for_relu(options.relu_bits) : circuits::CompositeSign{};
  for (std::size_t s = 0; s < choices.polynomials.size(); ++s) {
    const Step& step = structure.steps()[s];
    if (step.kind != Step::Kind::activation || choices.polynomials[s]) continue;
    const auto argument = static_cast<std::size_t>(step.argument);
    choices.polynomials[s] =
        polynomial_for(structure.node(s), exact.low[argument], exact.high[argument], options, sign);
  }
  // Activations change what later layers see, so ranges are those of the network that will run.
  const Ranges seen = observe(structure, clear, calibration, normalization, choices.polynomials,
                              options.progress, "polynomials");
  std::vector<double> mean_squares;
  set_ranges(structure, seen, options.range_margin, choices, mean_squares);
  for (std::size_t s = 0; s < choices.polynomials.size(); ++s) {
    const auto* relu =
        choices.polynomials[s] ? std::get_if<he_only::CompositeRelu>(&*choices.polynomials[s]) : nullptr;
    if (!relu) continue;
    const auto argument = static_cast<std::size_t>(structure.steps()[s].argument);
    const double widest = std::max(-seen.low[argument], seen.high[argument]);
    if (widest > relu->range) {
      fail_input(
          "layer {} sees values up to {:.3g} on calibration images, beyond the {:.3g} that its polynomial is for: "
          "calibrate with more images",
          structure.node(s).name, widest, relu->range);
    }
  }

  std::vector<int> float_labels;
  for (std::size_t i = 0; i < calibration.size(); ++i) {
    const std::vector<float> scores = nn::logits(graph, calibration.inputs(i, i + 1, normalization));
    float_labels.push_back(nn::argmax(std::span<const float>(scores)));
  }
  result.keeps_float = nn::top1(seen.labels, float_labels);
  if (calibration.has_labels()) {
    result.in_float = nn::top1(float_labels, calibration.labels);
    result.clear = nn::top1(seen.labels, calibration.labels);
  }
  if (result.keeps_float < options.min_agreement) {
    fail_input(
        "the polynomials keep the float network's label on {:.1f} % of the calibration images, fewer than {:.1f} %; "
        "lower --min-agreement to accept that",
        100 * result.keeps_float, 100 * options.min_agreement);
  }

  he_only::Request request;
  request.weights = weights_of(graph);
  request.largest_error = kLargestError;
  request.inferences = static_cast<double>(
      options.privacy_inferences.value_or(static_cast<std::uint64_t>(kDefaultInferences)));
  he_only::Chosen chosen;
  bool levelled = true;
  try {
    chosen = he_only::choose(structure, choices, mean_squares, request);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::input) throw;
    levelled = false;
  }
  if (!levelled) {
    chosen = bootstrapped(structure, choices, mean_squares, request, options.privacy_inferences.has_value(),
                          result.notes);
  }

  he_only::Public& shared = result.shared;
  shared.network = graph.name;
  shared.form = graph.input_form;
  shared.program = chosen.program;
  shared.ring = chosen.choices.ring;
  shared.ends = he_only::ends_of(chosen.shaped, chosen.program);
  shared.steps = chosen.program.steps.size() - 1;
  shared.inferences = chosen.inferences;
  shared.bits_per_weight = chosen.bits_per_weight;
  shared.score_error = chosen.slot_error * std::abs(shared.ends.output_view.factor);
  shared.normalization = normalization.to_string();
  shared.framing = options.framing.to_string();
  shared.labels = options.labels;
  result.layers = layer_reports(structure, chosen.shaped, chosen.choices, chosen.program);
  for (const LayerReport& layer : result.layers) shared.predicted_s += layer.predicted_s;
  result.files = he_only::make_packages(shared, graph, chosen.choices);

  result.levels = chosen.program.steps[0].level;
  result.bootstraps = chosen.program.bootstraps;
  result.lambda_bits = chosen.lambda_bits;
  const he_only::Contexts contexts(chosen.program, chosen.choices.ring);
  for (const std::uint64_t bytes : he_only::EvaluationKeys(chosen.program, contexts).part_bytes())
    result.keys_wire += bytes;
  const he_only::ClientCoder coder(contexts, chosen.program.input_context, shared.ends);
  result.request_bytes = coder.request_bytes();
  result.answer_bytes = coder.answer_bytes();
  he_only::Package::Private secret;
  secret.choices = chosen.choices;
  secret.shaped = chosen.shaped;
  secret.program = chosen.program;
  const protocol::he::MemoryNeeds needs = protocol::he::memory_needs(secret);
  result.weights_bytes = needs.weights;
  result.session_bytes = needs.session;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace ap::app::he
