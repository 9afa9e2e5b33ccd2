// From an ONNX file and calibration images to the two packages, and how accurate the result is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analysis/cost/session_cost.h"
#include "app/search_policies.h"
#include "base/progress.h"
#include "nn/data/dataset.h"
#include "nn/ir/graph.h"
#include "package/package.h"

namespace ap::app {

struct CompileOptions {
  std::string policy = "exact";
  double max_accuracy_loss = 0.002;  ///< largest simulated loss of top-1 (0 to 1); policy budget
  SearchRequest search;              ///< policies that search
  /// Policies that search: error-std (standard deviations of small errors, on coefficient packing) or der (rates of
  /// decryption errors, on SIMD packing).
  std::string budget = "error-std";
  std::string activation = "auto";  ///< protocol of the activations: auto, gc, ot or one-trip
  std::string reveal = "logits";    ///< what the client learns: logits or label
  /// Fewest calibration images, 0 to 1, whose integer label must be the float network's.
  double min_agreement = 0.9;
  bool equalise = true;     ///< spread weights over layers where that keeps answers; not for train tune
  int activation_bits = 0;  ///< 2 to 14, or 0 to choose (app/precision.h)
  /// How many inferences of all clients together the weights stay private for; 0: they do not.
  std::uint64_t privacy_inferences = noise::kDefaultInferences;
  bool strict = false;              ///< failure of at most 2^-128 per inference instead of 2^-40
  bool flooding_by_rule = false;    ///< policy darl: flooding by AutoPrivacy's rule of thumb
  double der_log2 = -15;            ///< policy autoprivacy: log2 of every layer's decryption-error rate
  std::vector<std::string> labels;  ///< class names, or empty
  nn::Framing framing;              ///< how clients bring pictures to the network's size
  ProgressSink progress;
  /// Prices of choices, and of the predictions in the package: the same inputs give the same package.
  cost::Profile profile = cost::typical_profile();
  std::optional<cost::Profile> shown_profile;  ///< prices of Compiled::predicted; absent: those of `profile`
  std::optional<cost::Setting> setting;        ///< of the predictions; absent: both parties on this machine
};

/// Fractions of images (0 to 1) whose best class is their label; absent without labels.
struct Accuracy {
  double keeps_float = 0;  ///< whose best class in integers is that in float
  std::optional<double> in_float, clear;
  std::optional<double> simulated;  ///< with the errors of the plan; policy budget
  std::size_t images = 0;
};

struct Compiled {
  package::Package package;  ///< with weights
  package::Pair files;
  cost::Prediction predicted;  ///< means per image of a session of protocol::kTypicalSession images
  Accuracy accuracy;
  int activation_bits = 0, weight_bits = 0;  ///< as chosen
  std::string least_precise;  ///< the node that loses most, where labels are lost: "'name' (operation)"
  double agreement = 0;       ///< simulated, of private and clear labels on the calibration images
  double seconds = 0;         ///< of everything
  double search_seconds = 0;  ///< of choosing the parameters alone
  double latency = 0;  ///< seconds per image of `predicted`, both phases: what a bound on it is kept by
  std::optional<Searched> search;  ///< of policies that search
};

/// What can be refused before any work is done.
/// @throws Error(input) naming what this version offers.
void check_options(const CompileOptions& options);

/// Sets the bounds that a policy keeps: the largest simulated loss of top-1 (0 to 1) and the largest
/// predicted seconds per image. A policy that searches and gets neither keeps
/// CompileOptions::max_accuracy_loss.
/// @throws Error(input) if the policy knows no such bound, or the loss is out of range.
void set_bounds(CompileOptions& options, std::optional<double> max_loss, std::optional<double> max_seconds);

/// Quantises, plans and packs. `calibration` must not be empty; its labels, if any, give the accuracy.
/// @throws Error(input) if the network cannot be expressed or its integers keep too few labels, Error(security) if no parameters reach 128 bits.
Compiled compile(const nn::Graph& graph, const nn::Dataset& calibration,
                 const nn::Normalization& normalization, const CompileOptions& options);

/// Makes a directory with those above it. @throws Error(input) if it cannot.
void make_directory(const std::filesystem::path& directory);
/// Writes server.apm, which its owner alone may read, and client.apm into a directory.
/// @throws Error(input) if one cannot be written.
void write_packages(const package::Pair& files, const std::filesystem::path& directory);

/// The accuracy that compile() reports, for any images.
Accuracy measure_accuracy(const nn::Graph& graph, const nn::QuantisedNetwork& network,
                          const nn::Dataset& data, const nn::Normalization& normalization,
                          const ProgressSink& progress = {});

}  // namespace ap::app
