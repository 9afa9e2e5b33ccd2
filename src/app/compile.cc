#include "app/compile.h"

#include <algorithm>
#include <chrono>

#include "analysis/prediction/predict.h"
#include "app/audit.h"
#include "app/precision.h"
#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "nn/data/accuracy.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/integer_executor.h"
#include "nn/execute/preprocess.h"
#include "plan/quadratic.h"
#include "planner/policies/baselines.h"
#include "planner/policies/budget.h"
#include "planner/policies/select.h"
#include "planner/spaces/assemble.h"

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;

// Images evaluated between two movements of the progress bar.
constexpr std::size_t kBatch = 32;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool is_baseline(const std::string& policy) {
  return policy == "delphi" || policy == "darl" || policy == "published";
}

/// Whether its plans share modulo primes, on SIMD batching.
bool shares_modulo_primes(const CompileOptions& options) {
  return is_baseline(options.policy) || options.mode == "published";
}

plan::Plan baseline_plan(const nn::QuantisedNetwork& network, const CompileOptions& options) {
  plan::BaselineOptions baseline;
  baseline.profile = options.profile;
  if (options.strict) baseline.target_failure_log2 = -128;
  baseline.as_published = options.as_published;
  if (options.policy == "delphi") return plan::select_delphi(network, baseline);
  if (options.policy == "darl") return plan::select_darl(network, baseline);
  const std::vector<double> der_log2(plan::linear_nodes(network).size(), options.der_log2);
  return plan::select_autoprivacy(network, der_log2, baseline);
}

/// Predicts what the plan costs, and tells the plan.
void predict(const CompileOptions& options, Compiled& result) {
  const protocol::Model model(result.package.network, result.package.plan);
  const cost::Setting setting = options.setting.value_or(
      cost::Setting::local(options.profile.cores, options.profile.network.round_trip));
  result.predicted = protocol::predict(model, options.profile, setting);
  protocol::set_predictions(result.predicted, result.package.plan);
}

}  // namespace

void check_options(const CompileOptions& options) {
  static const std::vector<std::string> known = {"exact",  "budget", "dp",     "ddpg",     "darl",
                                                 "delphi", "random", "greedy", "published"};
  constexpr const char* kOffered = "exact, budget, delphi, darl, published";
  if (std::ranges::find(known, options.policy) == known.end()) {
    fail_input("there is no policy \"{}\"; this version offers: {}, {}", options.policy, kOffered,
               search_policy_names());
  }
  const bool baseline = is_baseline(options.policy);
  if (options.policy != "exact" && options.policy != "budget" && !baseline &&
      !is_search_policy(options.policy)) {
    fail_input("policy {} is not available in this version, which offers: {}, {}", options.policy, kOffered,
               search_policy_names());
  }
  if (options.mode != "errors" && options.mode != "published") {
    fail_input("there is no mode \"{}\"; this version offers: errors, published", options.mode);
  }
  if (options.mode == "published" && !is_search_policy(options.policy)) {
    fail_input("--mode published is for policies that search ({}); policy is {}", search_policy_names(),
               options.policy);
  }
  if (shares_modulo_primes(options) && options.activation == "ot") {
    fail_input("{} {} shares modulo primes, which protocol ot cannot; use --activation gc or auto",
               baseline ? "policy" : "mode", baseline ? options.policy : options.mode);
  }
  if (options.as_published && options.policy != "darl") {
    fail_input("--as-published is the published rule for flooding in policy darl; policy is {}",
               options.policy);
  }
  if (options.policy == "published" && options.strict) {
    fail_input("--strict asks for rare failures, policy autoprivacy for frequent ones; use --policy darl");
  }
  if (!(options.der_log2 >= -40 && options.der_log2 <= -1)) {
    fail_input("a decryption-error rate of 2^{} is out of range; give --der -40 to -1", options.der_log2);
  }
  if ((options.policy == "budget" || is_search_policy(options.policy)) && options.strict) {
    fail_input("--strict asks for rare failures, policy {} for small errors; use --policy exact",
               options.policy);
  }
  if (options.activation_bits != 0 && (options.activation_bits < 2 || options.activation_bits > 14)) {
    fail_input("--activation-bits {} is out of range; use 2 to 14, or leave it out to have it chosen",
               options.activation_bits);
  }
  if (options.reveal != "logits" && options.reveal != "label") {
    fail_input("--reveal {} is not known; this version offers: logits, label", options.reveal);
  }
  if (options.activation != "auto" && options.activation != "gc" && options.activation != "ot") {
    fail_input("there is no activation protocol \"{}\"; this version offers: auto, gc, ot",
               options.activation);
  }
}

void set_bounds(CompileOptions& options, std::optional<double> max_loss, std::optional<double> max_seconds) {
  check_options(options);
  const bool searches = is_search_policy(options.policy);
  if (max_seconds && !searches) {
    fail_input("--max-latency needs a policy that searches ({}); policy {} does not", search_policy_names(),
               options.policy);
  }
  if (max_loss) {
    if (options.policy != "budget" && !searches) {
      fail_input("--max-accuracy-loss means nothing to policy {}; use it with --policy budget, {}",
                 options.policy, search_policy_names());
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
  if (!data.has_labels()) return accuracy;
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
  accuracy.in_float = nn::top1(float_labels, data.labels);
  accuracy.clear = nn::top1(clear_labels, data.labels);
  return accuracy;
}

Compiled compile(const nn::Graph& graph, const nn::Dataset& calibration,
                 const nn::Normalization& normalization, const CompileOptions& options) {
  check_options(options);
  normalization.check(graph.input_shape().c);
  if (calibration.size() == 0) fail_input("no calibration image was selected");
  const auto classes = static_cast<std::size_t>(graph.output_shape().size());
  if (!options.labels.empty() && options.labels.size() != classes) {
    fail_input("{} class names were given, but the network has {} outputs", options.labels.size(), classes);
  }
  const Clock::time_point start = Clock::now();
  std::optional<double> simulated;
  Compiled result;
  package::Package& package = result.package;
  package.role = Party::server;
  package.normalization = normalization.to_string();
  package.labels = options.labels;
  {
    Progress bar("compile", 3, options.progress);
    bar.note("calibrating and quantising");
    plan::SelectOptions select;
    plan::BudgetOptions budget;
    select.profile = budget.profile = options.profile;
    select.privacy_inferences = budget.privacy_inferences = options.privacy_inferences;
    const bool searches = is_search_policy(options.policy);
    const bool small_errors = !shares_modulo_primes(options) && (options.policy == "budget" || searches);
    Precision precision =
        choose_precision(graph, calibration, normalization,
                         small_errors ? budget.guard_bits : select.guard_bits, options.activation_bits);
    package.network = std::move(precision.network);
    result.activation_bits = precision.activation_bits;
    result.agreement = precision.agreement;
    bar.advance();
    bar.note("choosing parameters");
    const Clock::time_point search = Clock::now();
    if (options.strict) select.target_failure_log2 = -128;
    if (is_baseline(options.policy)) {
      package.plan = baseline_plan(package.network, options);
    } else if (searches) {
      SearchRequest request = options.search;
      request.policy = options.policy;
      request.protocol = options.activation;
      request.profile = options.profile;
      request.privacy_inferences = options.privacy_inferences;
      request.published = options.mode == "published";
      request.progress = options.progress;
      result.search =
          search_plan(package.network, nn::preprocess_all(package.network, calibration, normalization),
                      calibration.labels, request);
      package.plan = result.search->plan;
      if (!calibration.labels.empty()) simulated = result.search->held_out.top1();
    } else if (!small_errors) {
      package.plan = plan::select_exact(package.network, select);
    } else {
      budget.max_accuracy_loss = options.max_accuracy_loss;
      plan::BudgetSelection selection = plan::select_budget(
          package.network, nn::preprocess_all(package.network, calibration, normalization),
          calibration.labels, budget);
      package.plan = std::move(selection.plan);
      simulated = selection.simulation.top1_mean;
    }
    if (!shares_modulo_primes(options)) {
      for (plan::ActivationChoice& choice : package.plan.activations) {
        if (choice.protocol != plan::kQuadraticProtocol) choice.protocol = options.activation;
      }
    }
    package.plan.privacy.inferences = options.privacy_inferences;
    if (options.reveal == "label") {
      package.plan.reveal = plan::Reveal::label;
      const bool prime = !package.plan.primes.empty() && package.plan.primes.back() != 0;
      package.plan.argmax_protocol = prime ? "gc" : options.activation;
    }
    result.search_seconds = seconds_since(search);
    // By the prices that a bound on it was kept by, which predict refines.
    result.latency = predicted_latency(package.network, package.plan, options.profile);
    predict(options, result);
    bar.advance();
    bar.note("checking security and packing");
    require_security(audit(package));
    result.files = package::make_packages(package);
    package.id = result.files.id;
    bar.advance();
  }
  result.accuracy = measure_accuracy(graph, package.network, calibration, normalization, options.progress);
  result.accuracy.simulated = simulated;
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace ap::app
