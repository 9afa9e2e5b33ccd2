// From an ONNX file and calibration images to the two packages of a network that runs by homomorphic encryption alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "he_only/package/package.h"
#include "nn/data/dataset.h"
#include "nn/data/framing.h"
#include "nn/ir/graph.h"

namespace ap::app::he {

struct CompileOptions {
  /// uniform: a ReLU by a composite minimax polynomial of `relu_bits`, the same in every layer.
  std::string policy = "uniform";
  int relu_bits = 10;
  /// What stands for activations, by node of the graph; of those that have none here `policy` chooses. For policies that choose
  /// layer by layer.
  std::map<int, he_only::Polynomial> polynomials;
  /// T: inferences of all clients together that the weights stay private for. Absent: 2^20, or as many as the noise of
  /// bootstrapping leaves room for; 0: nothing is promised.
  std::optional<std::uint64_t> privacy_inferences;
  double range_margin = 1.3;   ///< ranges of calibration are taken so many times as wide
  double min_agreement = 0.9;  ///< fewest calibration images whose label must be the float network's, 0 to 1
  std::vector<std::string> labels;
  nn::Framing framing;
  ProgressSink progress;
};

/// What one layer became.
struct LayerReport {
  std::string name, op;
  std::size_t level = 0, primes = 0;  ///< level that it runs at; of data and special primes in its keys
  std::uint32_t n = 0;
  double log2_qp = 0;
  int degree = 0;             ///< of an activation's polynomial, all stages multiplied; 0: a linear layer
  std::size_t diagonals = 0;  ///< of linear layers, of all ciphertexts
  std::size_t rotations = 0;  ///< that one use takes
  bool bootstrapped = false;
  double predicted_s = 0;  ///< on one core
};

struct Compiled {
  he_only::Public shared;
  package::Pair files;
  std::size_t images = 0;                 ///< of calibration
  double keeps_float = 0;                 ///< fraction whose label by polynomials is the float network's
  std::optional<double> in_float, clear;  ///< top-1 of the float network and of the polynomial one
  std::vector<LayerReport> layers;
  std::size_t levels = 0, bootstraps = 0;
  double lambda_bits = 0;
  std::uint64_t keys_wire = 0;  ///< bytes that a client uploads once
  std::uint64_t request_bytes = 0, answer_bytes = 0;
  std::uint64_t weights_bytes = 0, session_bytes = 0;  ///< of a server's memory
  std::vector<std::string> notes;
  double seconds = 0;
};

/// Replaces activations, takes ranges, chooses ring, primes and flooding, and packs.
/// @throws Error(input) that names the layer that cannot be computed, why, and what can be done
Compiled compile(const nn::Graph& graph, const nn::Dataset& calibration,
                 const nn::Normalization& normalization, const CompileOptions& options);

}  // namespace ap::app::he
