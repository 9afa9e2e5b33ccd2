// From a trained network to the two packages that a server and its clients need. Every cryptographic
// parameter is chosen here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autoprivacy/error.h"
#include "autoprivacy/images.h"
#include "autoprivacy/progress.h"

namespace autoprivacy {

/// A line between two machines, for which a network is compiled and its cost predicted.
struct Link {
  double bits_per_second = 1e9;        ///< above 0
  double round_trip_seconds = 0.0005;  ///< 0 or more
};

/// How a network is compiled. The defaults suit a network whose private labels are to be those of the clear
/// network.
struct CompileOptions {
  /// How parameters are chosen: "exact" (the private result is the clear one), "budget" (small errors for
  /// smaller parameters, the same fraction in every layer), "dp", "greedy" or "random" (a search for the
  /// error of each layer), "delphi", "darl" or "autoprivacy" (published ways, to compare with).
  std::string policy = "exact";
  /// Largest simulated loss of top-1 accuracy, as a fraction (0 to 1); not for "exact" and the published
  /// ways. Without it and without `max_seconds`: 0.002.
  std::optional<double> max_accuracy_loss;
  /// Largest predicted seconds for one image, with a link of 1 Gbit/s; for policies that search.
  std::optional<double> max_seconds;
  /// How activations are computed: "auto" (chosen by the link when a session begins), "gc" (garbled circuits)
  /// or "ot" (oblivious transfer).
  std::string activation = "auto";
  /// What clients learn of each image: "logits" (the score of every class) or "label" (the best class alone).
  std::string reveal = "logits";
  /// Bits of an activation, 2 to 14; 0: as many as keep the labels in simulation.
  int activation_bits = 0;
  /// For how many inferences of all clients together the weights stay private, 1 to 2^40 or so (the error of
  /// too large a value names the limit). 0: they do not; clients can then compute the weights from some
  /// thousands of results.
  std::uint64_t privacy_inferences = std::uint64_t{1} << 20;
  /// Whether a wrong result is allowed at most once in 2^128 inferences rather than once in 2^40.
  bool strict = false;
  /// Seed of policies that draw at random.
  std::uint64_t seed = 1;
  /// Simulations of a plan that policies which search may run, at least 1.
  int simulations = 60;
  /// The name of each class, or none.
  std::vector<std::string> labels;
  /// How clients bring pictures to the network's size, as load_images takes it; kept in both packages.
  std::string framing;
  /// Unit costs of the machines as JSON, which `autoprivacy profile --json` measures; empty: those of a
  /// typical processor.
  std::string unit_costs;
  /// Of the predictions; without it, both parties are on one machine.
  std::optional<Link> link;
  ProgressCallback progress;
};

/// What one phase of an inference is predicted to cost: means for one image of a session of twenty.
struct PredictedCost {
  double seconds = 0;             ///< of wall time
  double client_cpu_seconds = 0;  ///< of processor time at the client
  double server_cpu_seconds = 0;  ///< of processor time at the server
  double bytes_up = 0;            ///< from client to server
  double bytes_down = 0;          ///< from server to client
};

/// The parameters of one linear layer, which is computed on ciphertexts.
struct LinearParameters {
  std::string packing;                ///< how numbers are laid out in ciphertexts, for people
  std::uint32_t ring_degree = 0;      ///< N, a power of two
  double log2_q = 0;                  ///< bits of the ciphertext modulus
  std::vector<std::uint64_t> primes;  ///< whose product is that modulus
  int log2_p = 0;                     ///< bits of the plaintext modulus
  double error_std = 0;  ///< standard deviation of the layer's error, in units of its result's last bit
  double ciphertext_error_rate = 0;  ///< probability that one reply ciphertext holds a wrong number
  double lambda_bits = 0;            ///< security of the ring, in bits, by this library's own estimate
};

/// One layer of a compiled network: a linear layer, or an activation or maximum.
struct Layer {
  std::string name;       ///< as in the model
  std::string operation;  ///< such as "Linear" or "Activation"
  std::optional<LinearParameters> linear;
  std::string activation;             ///< "auto", "gc", "ot" or "beaver"; empty of linear layers
  double predicted_seconds = 0;       ///< for one image, both phases
  std::uint64_t predicted_bytes = 0;  ///< for one image, both phases and directions
};

/// Shares of the calibration images, 0 to 1, whose best class is their label. Absent where there are no
/// labels.
struct Accuracy {
  std::optional<double> in_float;   ///< of the model as it was given
  std::optional<double> clear;      ///< of the network in integers, without cryptography
  std::optional<double> simulated;  ///< with the errors of the plan; of policies that allow errors
  double agreement = 0;             ///< inferences, by simulation, whose private label is the clear one
};

/// A compiled network: what was chosen, what it is predicted to cost, and the two packages.
struct Compiled {
  std::string policy;          ///< as it was asked for
  std::string package_id;      ///< 64 hexadecimal digits, the same of both packages
  std::vector<Layer> layers;   ///< in the order of the network
  double min_lambda_bits = 0;  ///< lowest security of a layer; at least 128
  double failure_log2 = 0;     ///< log2 of the probability that one inference goes wrong, at most
  int activation_bits = 0;     ///< bits of an activation, as chosen
  PredictedCost offline;       ///< of preparation, which needs no image
  PredictedCost online;        ///< with the image
  double latency_seconds = 0;  ///< predicted for one image, preparation included, with a link of 1 Gbit/s
  Accuracy accuracy;
  std::vector<std::string> notes;            ///< sentences that the owner of the network should read
  double search_seconds = 0;                 ///< that choosing the parameters took
  double seconds = 0;                        ///< that everything took
  std::vector<std::uint8_t> server_package;  ///< the file server.apm. It holds the weights: keep it
  std::vector<std::uint8_t>
      client_package;  ///< the file client.apm. It holds nothing secret: give it to clients

  /// Writes server.apm, which its owner alone may read, and client.apm into `directory`, which is made if it
  /// is not there. Files of these names are replaced, each at once.
  /// @throws Error(input) if a file cannot be written.
  void write(const std::filesystem::path& directory) const;
};

/// Compiles a network. `model` is an ONNX file of at most 1 GiB. `calibration` holds typical images of the
/// network's input shape, not the images that accuracy is later measured with: 128 of them do for "exact",
/// 512 for policies that search; with labels, accuracy is measured on them. `normalization` says how pixels
/// become the network's input, as "scale=S mean=a,b,c std=a,b,c": input = (pixel / S - mean) / std, the lists
/// with one value, or one for each channel; without mean and std these are 0 and 1, without a scale it is 255 of 8-bit
/// pixels and 1 of other numbers. It is stored in both packages.
/// Takes seconds to minutes and all processors.
/// @throws Error(input) if the model, the images or an option cannot be used (operators that are not
/// supported are all named), or no plan keeps the bounds; Error(security) if no parameters reach 128 bits.
Compiled compile(const std::filesystem::path& model, const Images& calibration,
                 const std::string& normalization, const CompileOptions& options = {});

/// The same of a model in memory: the bytes of an ONNX file. `name` stands for the file in messages.
/// @throws as the other.
Compiled compile(std::span<const std::uint8_t> model, const std::string& name, const Images& calibration,
                 const std::string& normalization, const CompileOptions& options = {});

}  // namespace autoprivacy
