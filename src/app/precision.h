// How many bits activations get. Eight are enough for most networks; but the private truncation of an
// activation may deviate from the clear one by one unit, and in a network whose scores lie close together
// such units add up to another label. So the private deviations are simulated on the calibration images, and
// bits are added while labels still change.
#pragma once

#include <span>
#include <string>

#include "nn/data/dataset.h"
#include "nn/ir/graph.h"
#include "nn/ir/quantised_network.h"

namespace ap::app {

inline constexpr int kMinActivationBits = 8;
inline constexpr int kMaxActivationBits = 10;
inline constexpr int kMaxWeightBits = 14;

struct Precision {
  int activation_bits = kMinActivationBits, weight_bits = 8, input_bits = 8;
  double keeps_float = 0;    ///< calibration images whose integer label is the float network's, 0 to 1
  double expected_kept = 0;  ///< the same of new images, estimated from the margins of the calibration images
  double agreement = 0;      ///< simulated: private label == clear label, over images and seeds
  nn::QuantisedNetwork network;
};

/// Fraction of (image, seed) pairs whose label stays the same when every truncation deviates as the
/// protocol's does (plan/moduli.h, Truncation). Deterministic in `seed`.
double simulated_agreement(const nn::QuantisedNetwork& network, const nn::Dataset& images,
                           const nn::Normalization& normalization, int guard_bits, int repeats,
                           std::uint64_t seed);

/// Quantises with `wanted` activation bits, or, if that is 0, with the fewest of kMinActivationBits ..
/// kMaxActivationBits whose simulated agreement is at least 99.8 %, else the most. Weights, which cost less, get
/// more bits than 8, up to kMaxWeightBits, first where fewer than 98.5 % of the images keep the
/// float label, or fewer than 97 % of new images are expected to, and so do inputs that are not
/// bytes. `equalise`: spread weights over layers (nn/quantise/equalise.h).
Precision choose_precision(const nn::Graph& graph, const nn::Dataset& calibration,
                           const nn::Normalization& normalization, int guard_bits, int wanted,
                           bool equalise = true);

/// The node whose rounding adds most to the errors on the first few calibration images: "'name' (operation)".
std::string least_precise_layer(const nn::Graph& graph, const nn::Dataset& calibration,
                                const nn::Normalization& normalization, const Precision& precision);

}  // namespace ap::app
