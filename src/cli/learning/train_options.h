// What `train new` and `train tune` share: options, stopping, reports.
#pragma once

#include <string>
#include <vector>

#include "cli/common.h"
#include "train/options.h"

namespace ap::cli {

/// Adds `autoprivacy train new` and `autoprivacy train tune`.
void add_train(CLI::App& app, Action& action);
void add_train_new(CLI::App& train, Action& action);
void add_train_tune(CLI::App& train, Action& action);

struct TrainArguments {
  std::vector<std::string> data;
  std::string normalize, test, out, range, optimiser = "sgd", checkpoint;
  double validation = 0.1;
  train::TrainOptions train;
  bool json = false;

  /// `train` holds the defaults of the command.
  void add_options(CLI::App& command);
  /// The options with stopping, checkpoints and reports in place. A first SIGINT or SIGTERM from now on stops
  /// the training after its present step.
  train::TrainOptions prepared() const;
  nn::Range image_range() const;
  /// @throws Error(input) telling how to go on.
  [[noreturn]] void fail_stopped() const;
  /// Writes the file and removes the checkpoints.
  void write(const nn::Graph& graph, const std::string& description) const;
};

}  // namespace ap::cli
