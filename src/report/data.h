// What a report is drawn from, as plain data: plans, measured rows, searches and measured noise. Readers fill
// it with values that are finite and within the limits of read_json.h; strings are as hostile as their file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/measurement/noise_check.h"

namespace ap::report {

/// One linear layer or activation of a plan. Absent values do not apply.
struct Layer {
  std::string name, op;
  std::string
      packing;  ///< of linear layers; begins with "SIMD" if values lie in slots (results of earlier versions: "slots")
  std::string activation;  ///< protocol of activations
  std::optional<double> n, log2_q, log2_p;
  std::optional<double> tau_lsb;   ///< standard deviation of the noise in accumulator LSBs
  std::optional<double> der_log2;  ///< log2 of the decryption-error rate of one ciphertext
  std::optional<double> lambda_bits;
  double predicted_s = 0, predicted_bytes = 0;

  bool linear() const { return n.has_value(); }
  bool simd() const { return packing.starts_with("SIMD") || packing.starts_with("slots"); }
};

/// A plan of one policy for one network.
struct PlanView {
  std::string network, policy, source;
  std::vector<Layer> layers;
  std::optional<double> min_lambda_bits;
  double predicted_s = 0, predicted_bytes = 0;

  std::vector<const Layer*> linears() const;
};

/// What one phase of a private inference took, as means per image.
struct Phase {
  double seconds = 0, cpu_s = 0, mb = 0;
};

/// One measured row of bench/results.
struct Row {
  std::string network, policy, source, machine;
  Phase offline, online;
  std::optional<double> top1, top1_clear, interval_low, interval_high;  ///< 0 to 1
  std::optional<double> images, agree_clear, simulated_images, min_lambda_bits, search_s;
  std::vector<std::string> notes;

  double seconds() const { return offline.seconds + online.seconds; }
  double mb() const { return offline.mb + online.mb; }
};

struct Episode {
  double episode = 0, reward = 0, seconds = 0, loss = 0;
  std::optional<double> expected_loss;
};

struct Simulated {
  double seconds = 0, loss = 0;  ///< predicted seconds, simulated loss of top-1 (0 to 1)
};

/// The journal of one search.
struct Search {
  std::string label, policy, source;
  bool finished = false;
  std::vector<Episode> trace;
  std::vector<Simulated> evaluations;
  std::optional<Simulated> chosen;
  std::optional<double> search_s;
};

struct Data {
  std::vector<PlanView> plans;
  std::vector<Row> rows;
  std::vector<Search> searches;
  std::vector<analysis::NoiseCheck> noise;
  std::vector<std::string> sources;  ///< as given

  bool empty() const { return plans.empty() && rows.empty() && searches.empty() && noise.empty(); }
};

/// Names of networks, then of policies of one of them, in the order of first appearance, baselines first.
std::vector<std::string> networks_of(const Data& data);
std::vector<const Row*> rows_of(const Data& data, const std::string& network);
std::vector<const PlanView*> plans_of(const Data& data, const std::string& network);
const Row* row_of(const Data& data, const std::string& network, const std::string& policy);
const PlanView* plan_of(const Data& data, const std::string& network, const std::string& policy);

/// Gives plans the name of the measured network with the same linear layers, so that both stand side by side,
/// and drops plans that a row already brought.
void match(Data& data);

}  // namespace ap::report
