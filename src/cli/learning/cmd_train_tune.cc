// autoprivacy train tune MODEL.onnx: makes a trained network robust against few bits, quadratics, or a plan's
// errors.
#include <optional>

#include "base/error.h"
#include "base/printable.h"
#include "cli/learning/train_options.h"
#include "cli/table.h"
#include "nn/onnx/import.h"
#include "package/package.h"
#include "train/tune.h"

namespace ap::cli {
namespace {

struct Options {
  TrainArguments arguments;
  std::string model, plan;
  int error_seeds = 4;
  train::TuneOptions tune;
};

Json json_of(const train::TuneAccuracy& a) {
  return {{"float", a.in_float},
          {"clear", a.integer.clear},
          {"simulated", a.integer.mean},
          {"by_seed", a.integer.by_seed}};
}

struct Measured {
  train::TuneAccuracy before, after;
  std::size_t images = 0;
};

Json json_of(const Measured& m) {
  return {{"images", m.images}, {"before", json_of(m.before)}, {"after", json_of(m.after)}};
}

std::string text_of(const char* name, const Measured& m, bool with_errors) {
  const auto row = [](const char* what, double before, double after) {
    return fmt::format("  {:<24} {:6.2f} % -> {:6.2f} %\n", what, 100 * before, 100 * after);
  };
  std::string text = fmt::format("top-1 on {} {} images\n", m.images, name);
  text += row("float", m.before.in_float, m.after.in_float);
  text += row("integers", m.before.integer.clear, m.after.integer.clear);
  if (with_errors) text += row("integers with errors", m.before.integer.mean, m.after.integer.mean);
  return text;
}

void run_tune(Options options) {
  const TrainArguments& a = options.arguments;
  options.tune.train = a.prepared();
  const nn::Graph graph = nn::import_onnx(options.model);
  std::string normalize = a.normalize;
  if (!options.plan.empty()) {
    package::Package package = package::load(options.plan, Party::server);
    if (normalize.empty()) normalize = package.normalization;
    train::Errors errors = train::errors_of_plan(package.network, package.plan);
    options.tune.planned = {std::move(package.network), std::move(errors),
                            train::halve_seeds(1, options.error_seeds)};
  }
  const nn::Normalization normalization = nn::Normalization::parse(normalize);
  const train::Samples all = train::load_samples(a.data, a.image_range(), normalization, graph.input_shape());
  std::optional<train::Samples> test;
  if (!a.test.empty()) {
    test = train::load_samples({&a.test, 1}, {}, normalization, graph.input_shape());
    train::check(*test, graph);
  }
  const auto [samples, validation] = train::split(all, a.validation);
  options.tune.on_candidate = [&](const train::Candidate& c) {
    std::string names;
    for (const int node : c.nodes) names += " " + printable(graph.nodes[static_cast<std::size_t>(node)].name);
    fmt::print(stderr, "quadratics at{}: {:.2f} %\n", names, 100 * c.accuracy);
  };
  const train::TuneResult result = train::tune(graph, samples, validation, options.tune);
  if (result.stopped) a.fail_stopped();
  a.write(result.graph, fmt::format("{} tuned on {}; --normalize \"{}\"", graph.name, all.data->source,
                                    normalization.to_string()));
  double seconds = 0;
  for (const train::TrainReport& stage : result.stages) seconds += stage.seconds;
  const Measured on_validation{result.before, result.after, validation.size()};
  std::optional<Measured> on_test;
  if (test) {
    const nn::QuantisedNetwork first =
        options.tune.planned
            ? options.tune.planned->network
            : train::quantise_with(graph, samples, options.tune.calibration, options.tune.bits);
    on_test = Measured{train::measure(graph, first, *test, options.tune),
                       train::measure(result.graph, result.network, *test, options.tune), test->size()};
  }
  if (a.json) {
    Json candidates = Json::array();
    for (const train::Candidate& c : result.candidates) {
      Json names = Json::array();
      for (const int node : c.nodes) names.push_back(graph.nodes[static_cast<std::size_t>(node)].name);
      candidates.push_back({{"quadratics", names}, {"accuracy", c.accuracy}});
    }
    print(Json{{"out", a.out},
               {"images", samples.size()},
               {"seconds", seconds},
               {"quadratics", result.quadratics},
               {"candidates", candidates},
               {"validation", json_of(on_validation)},
               {"test", on_test ? json_of(*on_test) : Json(nullptr)}});
    return;
  }
  const bool with_errors = options.tune.planned.has_value();
  std::string text = fmt::format("tuned {} on {} images in {}\n", printable(graph.name), samples.size(),
                                 format_seconds(seconds));
  if (!result.quadratics.empty()) {
    text += "quadratic now:";
    for (const std::string& name : result.quadratics) text += " " + printable(name);
    text += "\n";
  }
  text += text_of("held-out", on_validation, with_errors);
  if (on_test) text += text_of("test", *on_test, with_errors);
  print(text + fmt::format("wrote {}\n", a.out));
}

}  // namespace

void add_train_tune(CLI::App& train, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = train.add_subcommand("tune", "Tune a trained network for private inference");
  train::TrainOptions& defaults = options->arguments.train;
  defaults.epochs = 4;
  defaults.rate = 0.0005;
  defaults.max_gradient = 2;
  train::TuneOptions& tune = options->tune;
  command->add_option("model", options->model, "ONNX file")->required()->type_name("MODEL.onnx");
  command
      ->add_option("--normalize", options->arguments.normalize,
                   "\"scale=255 mean=a,b,c std=a,b,c\"; a package knows its own")
      ->type_name("S");
  CLI::Option* plan =
      command->add_option("--plan", options->plan, "server.apm compiled from the model: inject its errors")
          ->type_name("PACKAGE");
  command->add_option("--bits", tune.bits, "Of weights and activations")
      ->check(CLI::Range(2, 14))
      ->excludes(plan)
      ->capture_default_str();
  command->add_option("--quadratic", tune.quadratic.replace, "Replace so many ReLUs by quadratics")
      ->check(CLI::Range(1, 10'000))
      ->excludes(plan)
      ->type_name("K");
  tune.quadratic.fitted = true;  // DELPHI's own coefficients need a hundred epochs of blending
  command->add_flag(
      "--fitted,!--published", tune.quadratic.fitted,
      "Fit each quadratic to its ReLU's own arguments (default), or take 0.1992 + 0.5002 x + 0.1997 x^2");
  command->add_option("--population", tune.quadratic.population, "Sets of ReLUs that are tried")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--search-epochs", tune.quadratic.search_epochs, "Budget for trying them, all together")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--search-images", tune.quadratic.search_images, "Images of such an epoch")
      ->capture_default_str();
  command->add_option("--keep-first", tune.quadratic.keep_first, "ReLUs at the beginning that stay")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_option("--keep-last", tune.quadratic.keep_last, "ReLUs at the end that stay")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_option("--error-seeds", options->error_seeds, "Of errors, each for training and for judging")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--calibration-images", tune.calibration)
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  options->arguments.add_options(*command);
  command->callback([options, &action] { action = [options] { run_tune(*options); }; });
}

}  // namespace ap::cli
