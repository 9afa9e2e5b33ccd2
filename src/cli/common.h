// What the commands share: registering with the parser, data arguments, printing, and waiting for signals.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "analysis/cost/session_cost.h"
#include "cli/run.h"
#include "nn/data/dataset.h"
#include "package/package.h"

namespace ap::cli {

// Keys in the order in which they were written, for people who read JSON.
using Json = nlohmann::ordered_json;

/// Each adds its subcommand to `app` and, when that is chosen, sets `action`.
void add_inspect(CLI::App& app, Action& action);
void add_compile(CLI::App& app, Action& action, const Extensions& extensions);
void add_audit(CLI::App& app, Action& action);
void add_profile(CLI::App& app, Action& action);
void add_security(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_clients(CLI::App& app, Action& action);
void add_ledger(CLI::App& app, Action& action);
void add_infer(CLI::App& app, Action& action);
void add_simulate(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_keygen(CLI::App& app, Action& action);

/// What images are for: the input and the outputs of a network, and how a package has pictures brought to its size.
struct NetworkEnds {
  nn::Shape shape;
  nn::InputForm form;
  std::size_t outputs = 0;
  std::vector<std::string> classes;  ///< names, or none
  nn::Framing framing;
};
NetworkEnds ends_of(const nn::Graph& graph);
NetworkEnds ends_of(const package::Package& package);

/// --first N and --range A:B, --resize and --crop.
struct Selection {
  std::int64_t first = 0;          ///< 0: not given
  std::string range;               ///< empty: not given
  std::int64_t default_first = 0;  ///< images used when neither is given; 0: all
  std::string resize, crop;        ///< empty: not given
  bool quiet = false;              ///< says no notes

  void add_options(CLI::App& command);
  void add_framing(CLI::App& command);
  /// As --resize and --crop say, or `otherwise` if neither is given. @throws Error(input) if they are malformed.
  nn::Framing framing(const nn::Framing& otherwise = {}) const;
  /// The chosen images of a data argument, with labels that the network has. Says what was left out or changed.
  /// @throws Error(input) for a malformed or empty range, or what nn::load_dataset and nn::fit_labels refuse.
  nn::Dataset load(const std::string& data, const NetworkEnds& ends) const;

 private:
  nn::Range images() const;
};

/// A sentence on what pixels of this data are divided by, if --normalize does not say so and it is not what one would
/// expect; else nothing.
std::string scale_note(const nn::Normalization& normalization, const nn::Dataset& data);

/// Prints to standard output; what is no plain text in it is escaped (base/printable.h), but newlines are not, so
/// words from a file or a peer go through printable() before they go into a text of several lines.
/// @throws Error(internal) if that cannot be written (a full disk).
void print(const std::string& text);
void print(const Json& json);
/// The same as text.
std::string printed(const Json& json);
/// A sentence for a person on standard error, escaped.
void say(const std::string& sentence);

/// Plans whose bound on a failure (an inference with any error at all) is above this have errors on purpose.
inline constexpr double kInexactFailureLog2 = -1;

/// A number that JSON can carry: null for infinity and NaN.
Json finite(double value);
/// The predicted cost of one phase.
Json phase_json(const cost::PhaseCost& phase);

/// Blocks SIGINT, SIGTERM and SIGHUP here and in all threads started from now on, so that wait_for_signal gets
/// them.
void block_end_signals();
/// Waits for one of them and returns its name.
std::string wait_for_signal();

}  // namespace ap::cli
