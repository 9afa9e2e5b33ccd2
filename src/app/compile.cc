#include "app/compile.h"

#include <algorithm>
#include <chrono>

#include "analysis/prediction/predict.h"
#include "app/audit.h"
#include "app/policies.h"
#include "app/precision.h"
#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "nn/data/accuracy.h"
#include "nn/data/labels.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/integer_executor.h"
#include "nn/execute/preprocess.h"
#include "nn/quantise/scale_input.h"
#include "plan/activation_spec.h"
#include "plan/quadratic.h"
#include "planner/policies/budget.h"
#include "planner/policies/select.h"

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;

// Images evaluated between two movements of the progress bar.
constexpr std::size_t kBatch = 32;
// Share of labels kept below which the layer that loses most is looked for.
constexpr double kSuspicious = 0.97;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What the owner asked for besides, in a plan of this policy.
void finish(const Policy& policy, const CompileOptions& options, const nn::QuantisedNetwork& network,
            plan::Plan& plan) {
  if (!policy.shares_modulo_primes(options)) {
    for (plan::ActivationChoice& choice : plan.activations) {
      if (plan::takes_any_protocol(network, choice)) {
        choice.protocol = plan::protocol_of(network, choice, plan.primes, options.activation);
      } else if (choice.protocol == plan::kPrivateProtocol && options.activation == "gc") {
        const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
        fail_input(
            "layer {} is a {}, which garbled circuits (protocol gc) do not compute here; use --activation auto or ot",
            node.name,
            std::holds_alternative<nn::QTable>(node.op) ? "table activation" : "product of private tensors");
      }
    }
  }
  plan.privacy.inferences = options.privacy_inferences;
  if (options.reveal == "label") {
    plan.reveal = plan::Reveal::label;
    const bool prime = !plan.primes.empty() && plan.primes.back() != 0;
    plan.argmax_protocol = prime ? "gc" : options.activation;
  }
}

cost::Prediction predicted(const nn::QuantisedNetwork& network, const plan::Plan& plan,
                           const CompileOptions& options) {
  const cost::Setting setting = options.setting.value_or(
      cost::Setting::local(options.profile.cores, options.profile.network.round_trip));
  return protocol::predict(protocol::Model(network, plan), options.profile, setting);
}

/// Calibration learns ranges from what differs between images. @throws Error(input) if nothing does.
void check_typical(const nn::Dataset& calibration, const nn::Normalization& normalization) {
  const std::vector<float> first = calibration.inputs(0, 1, normalization);
  const bool flat = std::ranges::all_of(first, [&](float v) { return v == first[0]; });
  for (std::size_t i = 1; i < calibration.size(); ++i) {
    if (calibration.inputs(i, i + 1, normalization) != first) return;
  }
  if (calibration.size() == 1 && !flat) return;
  fail_input(
      "the {} calibration image{} of {} {}{}; calibrate with typical images, as the network will see them",
      calibration.size(), calibration.size() == 1 ? "" : "s", calibration.source,
      calibration.size() == 1 ? "has constant pixels" : "are all the same",
      flat && calibration.size() > 1 ? ", with constant pixels" : "");
}

/// Channels of unlike sizes get factors, which go into the normalisation and out of the first layers.
void balance_input(nn::Graph& graph, const nn::Dataset& calibration, nn::Normalization& normalization) {
  std::vector<nn::Tensor> images;
  for (std::size_t i = 0; i < calibration.size(); ++i) images.push_back(calibration.input(i, normalization));
  const std::vector<double> factors = nn::input_factors(graph, images);
  if (std::ranges::all_of(factors, [](double f) { return f == 1; })) return;
  nn::scale_input(graph, factors);
  std::vector<double> spread;
  for (std::size_t c = 0; c < factors.size(); ++c) {
    const std::vector<double>& std = normalization.std;
    spread.push_back(std[std.size() == 1 ? 0 : c] / factors[c]);
  }
  normalization.std = spread;
}

/// Per image: the figure that is reported and that a bound is kept by.
double seconds_of(const cost::Prediction& prediction) {
  return prediction.offline.seconds + prediction.online.seconds;
}

}  // namespace

void check_options(const CompileOptions& options) {
  const Policies policies = standard_policies();
  const Policy& policy = policies.find(options.policy);
  if (options.budget != "error-std" && options.budget != "der") {
    fail_input("there is no budget \"{}\"; this version offers: error-std, der", options.budget);
  }
  for (const std::string& sentence : policies.refusals(policy, options)) fail_input("{}", sentence);
  if (options.activation_bits != 0 && (options.activation_bits < 2 || options.activation_bits > 14)) {
    fail_input("--activation-bits {} is out of range; use 2 to 14, or leave it out to have it chosen",
               options.activation_bits);
  }
  if (!(options.min_agreement >= 0 && options.min_agreement <= 1)) {
    fail_input("--min-agreement {} is out of range; give 0 to 100 %", 100 * options.min_agreement);
  }
  if (options.reveal != "logits" && options.reveal != "label") {
    fail_input("--reveal {} is not known; this version offers: logits, label", options.reveal);
  }
  if (!plan::is_protocol(options.activation)) {
    fail_input("there is no activation protocol \"{}\"; this version offers: auto, gc, ot, one-trip",
               options.activation);
  }
}

void set_bounds(CompileOptions& options, std::optional<double> max_loss, std::optional<double> max_seconds) {
  check_options(options);
  const Policies policies = standard_policies();
  const Policy& policy = policies.find(options.policy);
  if (max_seconds && !policy.takes("--max-latency")) {
    fail_input("--max-latency needs a policy that searches ({}); policy {} does not",
               policies.names("--max-latency"), policy.name);
  }
  if (max_loss) {
    if (!policy.takes("--max-accuracy-loss")) {
      fail_input("--max-accuracy-loss means nothing to policy {}; use it with --policy {}", policy.name,
                 policies.names("--max-accuracy-loss"));
    }
    if (!(*max_loss >= 0 && *max_loss <= 1)) {
      fail_input("--max-accuracy-loss {} is out of range; give 0 to 100 %", 100 * *max_loss);
    }
    options.max_accuracy_loss = *max_loss;
  }
  if (max_loss || !max_seconds) options.search.max_loss = options.max_accuracy_loss;
  options.search.max_seconds = max_seconds;
}

void make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) fail_input("cannot create the directory {}: {}", directory.string(), error.message());
}

void write_packages(const package::Pair& files, const std::filesystem::path& directory) {
  write_file(directory / "server.apm", files.server);
  write_file(directory / "client.apm", files.client, Readers::everyone);
}

Accuracy measure_accuracy(const nn::Graph& graph, const nn::QuantisedNetwork& network,
                          const nn::Dataset& data, const nn::Normalization& normalization,
                          const ProgressSink& progress) {
  Accuracy accuracy;
  accuracy.images = data.size();
  const nn::IntegerExecutor executor(network);
  const auto classes = static_cast<std::size_t>(graph.output_shape().size());
  std::vector<int> float_labels, clear_labels(data.size());
  Progress bar("accuracy", data.size(), progress);
  for (std::size_t begin = 0; begin < data.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, data.size());
    const std::vector<float> inputs = data.inputs(begin, end, normalization);
    const std::vector<float> logits = nn::logits(graph, inputs);
    const std::vector<int> predicted = nn::predictions(std::span<const float>(logits), classes);
    float_labels.insert(float_labels.end(), predicted.begin(), predicted.end());
    parallel_for(end - begin, [&](std::size_t i) {
      const auto image = nn::preprocess(network, data, begin + i, normalization);
      clear_labels[begin + i] = nn::argmax(std::span<const std::int32_t>(executor.logits(image)));
    });
    bar.advance(end - begin);
  }
  accuracy.keeps_float = nn::top1(clear_labels, float_labels);
  if (!data.has_labels()) return accuracy;
  accuracy.in_float = nn::top1(float_labels, data.labels);
  accuracy.clear = nn::top1(clear_labels, data.labels);
  return accuracy;
}

Compiled compile(const nn::Graph& given_graph, const nn::Dataset& calibration,
                 const nn::Normalization& given_normalization, const CompileOptions& options) {
  check_options(options);
  nn::Graph graph = given_graph;
  nn::Normalization normalization = given_normalization;
  const Policies policies = standard_policies();
  const Policy& policy = policies.find(options.policy);
  normalization.check(graph.input_shape().c);
  if (calibration.size() == 0) fail_input("no calibration image was selected");
  check_typical(calibration, normalization);
  balance_input(graph, calibration, normalization);
  const auto classes = static_cast<std::size_t>(graph.output_shape().size());
  if (!options.labels.empty() && options.labels.size() != nn::classes_of(classes)) {
    fail_input("{} class names were given, but the network has {} outputs{}", options.labels.size(), classes,
               classes == 1 ? ", which tells two classes apart" : "");
  }
  if (classes == 1 && options.reveal == "label") {
    fail_input("--reveal label needs several outputs to choose from; the network has one");
  }
  nn::check_labels(calibration.labels, classes, calibration.source);
  const Clock::time_point start = Clock::now();
  std::optional<double> simulated;
  Compiled result;
  package::Package& package = result.package;
  package.role = Party::server;
  package.normalization = normalization.to_string();
  package.framing = options.framing.to_string();
  package.labels = options.labels;
  {
    Progress bar("compile", 3, options.progress);
    bar.note("calibrating and quantising");
    const int guard_bits =
        policy.allows_errors(options) ? plan::BudgetOptions{}.guard_bits : plan::SelectOptions{}.guard_bits;
    Precision precision = choose_precision(graph, calibration, normalization, guard_bits,
                                           options.activation_bits, options.equalise);
    result.activation_bits = precision.activation_bits;
    result.weight_bits = precision.weight_bits;
    result.agreement = precision.agreement;
    if (precision.keeps_float < kSuspicious) {
      result.least_precise = least_precise_layer(graph, calibration, normalization, precision);
    }
    if (precision.keeps_float < options.min_agreement) {
      fail_input(
          "the integer network keeps the label of the float network on {:.1f} % of {} calibration images, with {} bits "
          "for activations and {} for weights; at least {:.4g} % are asked for. Layer {} loses most. Give more "
          "calibration images, typical ones, or --activation-bits up to 14; --min-agreement PERCENT accepts less",
          100 * precision.keeps_float, calibration.size(), precision.activation_bits, precision.weight_bits,
          100 * options.min_agreement, result.least_precise);
    }
    package.network = std::move(precision.network);
    bar.advance();
    bar.note("choosing parameters");
    const Clock::time_point search = Clock::now();
    const auto images = [&] { return nn::preprocess_all(package.network, calibration, normalization); };
    const auto latency = [&](plan::Plan plan) {
      finish(policy, options, package.network, plan);
      return seconds_of(predicted(package.network, plan, options));
    };
    Planned planned = policy.plan({package.network, images, calibration.labels, latency}, options);
    package.plan = std::move(planned.plan);
    result.search = std::move(planned.search);
    simulated = planned.simulated;
    finish(policy, options, package.network, package.plan);
    result.search_seconds = seconds_since(search);
    result.predicted = predicted(package.network, package.plan, options);
    result.latency = seconds_of(result.predicted);
    protocol::set_predictions(result.predicted, package.plan);
    bar.advance();
    bar.note("checking security and packing");
    require_security(audit(package));
    result.files = package::make_packages(package);
    package.id = result.files.id;
    bar.advance();
  }
  if (options.shown_profile) {
    CompileOptions shown = options;
    shown.profile = *options.shown_profile;
    if (shown.setting) shown.setting->cores = shown.profile.cores;
    result.predicted = predicted(package.network, package.plan, shown);
    result.latency = seconds_of(result.predicted);
    protocol::set_predictions(result.predicted, package.plan);
  }
  result.accuracy = measure_accuracy(graph, package.network, calibration, normalization, options.progress);
  result.accuracy.simulated = simulated;
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace ap::app
