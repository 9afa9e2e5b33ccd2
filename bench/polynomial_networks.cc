// What policies for HE-only networks choose, and how accurate the polynomial networks are over a whole test set:
//
//   bench/polynomial_networks MODEL.onnx NORMALISATION TRAINING TEST [KEY=VALUE...]
//
// NORMALISATION as --normalize of compile; TRAINING and TEST data arguments with labels. The first `calibration` training
// images calibrate, the next `selection` choose the plan. Keys:
//   policies=uniform,ola,dp   also `sensitivity`: predicted and measured ones; `float`: the network itself and nothing else
//   loss=0.005                the most that top-1 may lose on the images of the choice
//   bootstrap=8.8             seconds of a bootstrap to 12 levels in the table of costs
//   normal=R                  fits under normal distributions R times as wide as measured, without offsets, as OLA has them
//   calibration=1000 selection=1000 images=10000
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "analysis/approximation/sensitivity.h"
#include "analysis/noise/interval.h"
#include "nn/data/accuracy.h"
#include "nn/data/dataset.h"
#include "nn/onnx/import.h"
#include "planner/degrees/policies.h"

namespace {

using namespace ap;

std::string value_of(int argc, char** argv, const std::string& key, const std::string& otherwise) {
  for (int i = 5; i < argc; ++i) {
    const std::string text = argv[i];
    if (text.rfind(key + "=", 0) == 0) return text.substr(key.size() + 1);
  }
  return otherwise;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string degrees_of(const plan::ApproximationPlan& plan) {
  std::string text;
  for (const plan::ApproximateActivation& a : plan.activations) {
    if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&a.function)) {
      text += fmt::format(" {}", series->degree());
    } else {
      text += fmt::format(" {}b", std::get<plan::CompositeRelu>(a.function).bits);
    }
  }
  return text;
}

struct Images {
  std::vector<float> values;
  std::vector<int> labels;
};

Images load(const std::string& argument, nn::Range range, const nn::Graph& graph,
            const nn::Normalization& norm) {
  const nn::Dataset data = nn::load_dataset(argument, range, graph.input_shape());
  return {data.inputs(0, data.size(), norm), data.labels};
}

void compare_sensitivities(const nn::Graph& graph, const degrees::Calibration& calibration,
                           const Images& images) {
  const approximation::ClearNetwork network(graph);
  constexpr std::size_t kImages = 256;
  const auto in = static_cast<std::size_t>(graph.input_shape().size());
  const auto some = std::span(images.values).first(kImages * in);
  const auto labels = std::span(images.labels).first(kImages);
  for (std::size_t i = 0; i < calibration.inputs.size(); ++i) {
    fmt::print("sensitivity {:2} node {:3}: predicted {:.3e}", i, calibration.inputs[i].node,
               calibration.sensitivities[i]);
    for (const double part : {0.01, 0.05}) {
      const double deviation = part * calibration.inputs[i].deviation();
      fmt::print(", measured at {:.2f} deviations {:.3e}", part,
                 approximation::measured_sensitivity(network, some, labels, i, deviation, 7));
    }
    fmt::print("\n");
  }
}

void report(const std::string& name, const nn::Graph& graph, const plan::ApproximationPlan& plan,
            const Images& test, double float_top1, double baseline, double noise, double planned_s) {
  const auto result = approximation::simulate(graph, plan.activations, test.values, test.labels, {noise, 1});
  const double n = static_cast<double>(result.images);
  const noise::Proportion interval = noise::clopper_pearson(*result.top1 * n, n);
  fmt::print(
      "{:<12} top-1 {:.2f} % [{:.2f}, {:.2f}], loss {:.2f} %, cost {:.1f} s, ratio {:.2f}, bootstraps {}, "
      "outside {}, nearest {:.2f}, planned in {:.0f} s\n  degrees{}\n",
      name, 100 * *result.top1, 100 * interval.low, 100 * interval.high, 100 * (float_top1 - *result.top1),
      plan.seconds, baseline / plan.seconds, plan.bootstraps.size(), result.outside(), result.largest_ratio(),
      planned_s, degrees_of(plan));
  std::string places;
  for (const plan::BootstrapPoint& b : plan.bootstraps) places += fmt::format(" {}>{}", b.node, b.level);
  fmt::print("  bootstraps (node > level){}; input level {}\n", places, plan.levels[0]);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: polynomial_networks MODEL NORMALISATION TRAINING TEST [KEY=VALUE...]\n");
    return 2;
  }
  const auto number = [&](const char* key, const char* otherwise) {
    return std::strtod(value_of(argc, argv, key, otherwise).c_str(), nullptr);
  };
  const nn::Graph graph = nn::import_onnx(argv[1]);
  const nn::Normalization norm = nn::Normalization::parse(argv[2]);
  const std::string policies = value_of(argc, argv, "policies", "uniform,ola,dp");
  degrees::PolicyOptions options;
  options.max_loss = number("loss", "0.005");
  if (const double widening = number("normal", "0"); widening > 0) {
    options.weights = {approximation::FitWeights::Shape::normal, widening, 0};
    options.offset_images = 0;
  }
  const degrees::CostTable costs = degrees::default_costs(number("bootstrap", "8.8"));
  const auto calibrated = static_cast<std::int64_t>(number("calibration", "1000"));
  const auto selected = static_cast<std::int64_t>(number("selection", "1000"));
  const Images calibration_images = load(argv[3], {0, calibrated}, graph, norm);
  const Images selection = load(argv[3], {calibrated, calibrated + selected}, graph, norm);
  const Images test = load(argv[4], {0, static_cast<std::int64_t>(number("images", "10000"))}, graph, norm);
  const auto wants = [&](const char* name) { return policies.find(name) != std::string::npos; };

  double start = now();
  const auto plain = approximation::simulate(graph, test.values, test.labels);
  fmt::print("{}: {} test images, float top-1 {:.2f} % ({:.1f} s)\n", graph.name, plain.images,
             100 * *plain.top1, now() - start);
  std::fflush(stdout);
  if (policies == "float") return 0;
  start = now();
  const degrees::Calibration calibration =
      degrees::calibrate(graph, calibration_images.values, calibration_images.labels);
  fmt::print("calibrated on {} images in {:.1f} s\n", calibrated, now() - start);
  std::fflush(stdout);
  if (wants("sensitivity")) compare_sensitivities(graph, calibration, calibration_images);
  options.on_plan = [&](const plan::ApproximationPlan& plan, const approximation::ClearResult& r) {
    fmt::print(
        "  tried {}: cost {:.1f} s, variance {:.2e}, top-1 on the images of the choice {:.2f} %, outside {}, nearest {:.2f}\n",
        plan.policy, plan.seconds, plan.variance, 100 * *r.top1, r.outside(), r.largest_ratio());
    std::fflush(stdout);
  };
  const auto make = [&](const char* policy) {
    return degrees::make_plan(policy, graph, calibration, calibration_images.values,
                              {selection.values, selection.labels}, costs, options);
  };
  const plan::ApproximationPlan baseline = make("uniform");
  if (wants("uniform")) {
    report("uniform 13", graph, baseline, test, *plain.top1, baseline.seconds, options.noise, 0);
    options.uniform_bits = 10;
    report("uniform 10", graph, make("uniform"), test, *plain.top1, baseline.seconds, options.noise, 0);
  }
  for (const char* policy : {"ola", "dp"}) {
    if (!wants(policy)) continue;
    start = now();
    const plan::ApproximationPlan plan = make(policy);
    report(policy, graph, plan, test, *plain.top1, baseline.seconds, options.noise, now() - start);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
