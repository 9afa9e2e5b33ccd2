// autoprivacy train new: a network from scratch.
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "cli/learning/train_options.h"
#include "cli/table.h"
#include "train/architectures.h"
#include "train/fine_tune.h"

namespace ap::cli {
namespace {

struct Options {
  TrainArguments arguments;
  std::string architecture = "small-cnn";
  int classes = 0;  ///< 0: as the labels show
};

void run_new(const Options& options) {
  const TrainArguments& a = options.arguments;
  const train::TrainOptions train_options = a.prepared();
  const nn::Normalization normalization = nn::Normalization::parse(a.normalize);
  const train::Samples all = train::load_samples(a.data, a.image_range(), normalization, {});
  const int classes = options.classes > 0 ? options.classes : *std::ranges::max_element(all.data->labels) + 1;
  const nn::Graph fresh =
      train::make_architecture(options.architecture, all.shape(), classes, train_options.seed);
  std::optional<train::Samples> test;
  if (!a.test.empty()) {
    test = train::load_samples({&a.test, 1}, {}, normalization, all.shape());
    train::check(*test, fresh);
  }
  const auto [samples, validation] = train::split(all, a.validation);
  train::FloatOptions normalised;
  normalised.batch_normalisation = true;
  const train::FloatResult result = train::train_float(fresh, samples, train_options, normalised);
  if (result.report.stopped) a.fail_stopped();
  a.write(result.graph, fmt::format("{} trained on {}; --normalize \"{}\"", options.architecture,
                                    all.data->source, normalization.to_string()));
  const double on_training = train::float_accuracy(result.graph, samples);
  std::optional<double> on_validation, on_test;
  if (validation.size() > 0) on_validation = train::float_accuracy(result.graph, validation);
  if (test) on_test = train::float_accuracy(result.graph, *test);
  const auto value = [](const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); };
  if (a.json) {
    print(
        Json{{"out", a.out},
             {"architecture", options.architecture},
             {"images", samples.size()},
             {"epochs", train_options.epochs},
             {"losses", result.report.losses},
             {"seconds", result.report.seconds},
             {"accuracy",
              {{"training", on_training}, {"validation", value(on_validation)}, {"test", value(on_test)}}}});
    return;
  }
  std::string text = fmt::format("trained {} on {} images in {}\n", options.architecture, samples.size(),
                                 format_seconds(result.report.seconds));
  text += fmt::format("top-1 on the training images    {:.2f} %\n", 100 * on_training);
  if (on_validation) {
    text += fmt::format("top-1 on {:>6} held-out images {:.2f} %\n", validation.size(), 100 * *on_validation);
  }
  if (on_test) text += fmt::format("top-1 on {:>6} test images     {:.2f} %\n", test->size(), 100 * *on_test);
  print(text + fmt::format("wrote {}\n", a.out));
}

}  // namespace

void add_train_new(CLI::App& train, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = train.add_subcommand("new", "Train a network from scratch");
  train::TrainOptions& defaults = options->arguments.train;
  defaults.epochs = 40;
  defaults.rate = 0.1;
  defaults.weight_decay = 5e-4;
  defaults.label_smoothing = 0.05;
  defaults.dropout = 0.3;
  defaults.augmentation = {true, 1};
  std::vector<std::string> names(train::architecture_names().begin(), train::architecture_names().end());
  command->add_option("--arch", options->architecture, "Architecture")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  command->add_option("--classes", options->classes, "Outputs; 0: as many as the labels show")
      ->check(CLI::Range(0, 10'000));
  command->add_option("--normalize", options->arguments.normalize, "\"scale=255 mean=a,b,c std=a,b,c\"")
      ->type_name("S");
  options->arguments.add_options(*command);
  command->callback([options, &action] { action = [options] { run_new(*options); }; });
}

}  // namespace ap::cli
