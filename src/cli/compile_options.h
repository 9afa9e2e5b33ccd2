// The options of `autoprivacy compile`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/compile.h"
#include "cli/common.h"

namespace ap::cli {

/// What was given, as it was given.
struct CompileArguments {
  std::string protocol = "hybrid";
  int relu_bits = 10;  ///< --protocol he
  bool inferences_given = false;
  std::string model, calibrate, normalize, output, out, labels, profile, sign, password_file;
  Selection selection;
  std::uint64_t seed = 1;
  double min_agreement = 90;  ///< %
  std::optional<double> max_latency, max_accuracy_loss, bandwidth, round_trip;
  std::vector<std::string> renamed;  ///< options of earlier versions that were given
  app::CompileOptions compile;
  bool json = false;
  bool uncompressed = false;
  bool accept_weight_leakage = false;
};

/// Adds all options; what is parsed goes into `options`, which the command keeps.
void add_compile_options(CLI::App& command, const std::shared_ptr<CompileArguments>& options);
/// @throws Error(input) naming what an option of an earlier version is called now, if one was given.
void refuse_renamed(const CompileArguments& options);

}  // namespace ap::cli
