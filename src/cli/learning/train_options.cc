#include "cli/learning/train_options.h"

#include <signal.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "cli/table.h"
#include "nn/onnx/export.h"

namespace ap::cli {
namespace {

volatile sig_atomic_t stop_wanted = 0;

void want_stop(int signal_number) {
  stop_wanted = 1;
  ::signal(signal_number, SIG_DFL);
}

void report_epoch(const train::EpochReport& r) {
  fmt::print(stderr, "{}: epoch {} of {}, loss {:.4f}{}\n", r.stage, r.epoch, r.epochs, r.loss,
             r.epoch < r.epochs ? ", " + format_seconds(r.seconds_left) + " left" : std::string());
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("train", "Train a network, or tune one for private inference");
  command->require_subcommand(1);
  add_train_new(*command, action);
  add_train_tune(*command, action);
}

void TrainArguments::add_options(CLI::App& command) {
  command
      .add_option("--data", data, "Labelled training images, e.g. cifar10:FILE; several sources are joined")
      ->required()
      ->type_name("DATA");
  command.add_option("--range", range, "Use images A to B-1 of each source")->type_name("A:B");
  command.add_option("--test", test, "Labelled images for a last measurement; they decide nothing")
      ->type_name("DATA");
  command.add_option("--out", out, "ONNX file to write")->required()->type_name("MODEL.onnx");
  command.add_option("--validation", validation, "Share of the training images held out to judge by")
      ->check(CLI::Range(0.0, 0.5))
      ->capture_default_str();
  command.add_option("--epochs", train.epochs)->check(CLI::Range(1, 100'000))->capture_default_str();
  command.add_option("--batch", train.batch)->check(CLI::Range(1, 65'536))->capture_default_str();
  command.add_option("--optimiser", optimiser)->check(CLI::IsMember({"sgd", "adam"}))->capture_default_str();
  command.add_option("--rate", train.rate, "Highest learning rate")->capture_default_str();
  command.add_option("--momentum", train.momentum)->capture_default_str();
  command.add_option("--weight-decay", train.weight_decay)->capture_default_str();
  command.add_option("--max-gradient", train.max_gradient, "Cut larger gradients off; 0: none")
      ->capture_default_str();
  command.add_option("--label-smoothing", train.label_smoothing)->capture_default_str();
  command.add_option("--dropout", train.dropout, "Before the last fully connected layer")
      ->capture_default_str();
  command.add_flag("--mirror,!--no-mirror", train.augmentation.mirror, "Mirror half of the images");
  command.add_option("--shift", train.augmentation.shift, "Shift images by up to so many pixels")
      ->capture_default_str();
  command.add_option("--seed", train.seed)->capture_default_str();
  command.add_option("--threads", train.threads, "0: all; the result depends on it in the last bits")
      ->capture_default_str();
  command.add_option("--checkpoint", checkpoint, "Name of the checkpoints; OUT.checkpoint if left out")
      ->type_name("FILE");
  command.add_flag("--resume", train.resume, "Go on where the checkpoints of the same command stand");
  command.add_flag("--json", json, "Print JSON");
}

train::TrainOptions TrainArguments::prepared() const {
  train::TrainOptions o = train;
  o.optimiser = optimiser == "adam" ? train::Optimiser::adam : train::Optimiser::sgd;
  o.checkpoint = checkpoint.empty() ? out + ".checkpoint" : checkpoint;
  ::signal(SIGINT, want_stop);
  ::signal(SIGTERM, want_stop);
  o.stop = [] { return stop_wanted != 0; };
  o.on_epoch = report_epoch;
  o.progress = true;
  train::check(o);
  return o;
}

nn::Range TrainArguments::image_range() const {
  if (range.empty()) return {};
  const std::size_t colon = range.find(':');
  try {
    if (colon != std::string::npos)
      return {std::stoll(range.substr(0, colon)), std::stoll(range.substr(colon + 1))};
  } catch (const std::exception&) {
  }
  fail_input("--range {} is not understood; write A:B for the images A, A+1, ..., B-1", range);
}

void TrainArguments::fail_stopped() const {
  fail_input("stopped before the end; the same command with --resume goes on where this one stands");
}

void TrainArguments::write(const nn::Graph& graph, const std::string& description) const {
  write_file(out, nn::export_onnx(graph, description));
  const std::filesystem::path base = checkpoint.empty() ? out + ".checkpoint" : checkpoint;
  std::error_code ignored;
  const auto folder = base.has_parent_path() ? base.parent_path() : std::filesystem::path(".");
  std::vector<std::filesystem::path> old;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(base.filename().string() + ".")) old.push_back(entry.path());
  }
  for (const auto& path : old) std::filesystem::remove(path, ignored);
}

}  // namespace ap::cli
