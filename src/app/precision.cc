#include "app/precision.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/data/accuracy.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/integer_executor.h"
#include "nn/execute/preprocess.h"
#include "nn/quantise/agreement.h"
#include "nn/quantise/quantise.h"
#include "random/prng.h"

namespace ap::app {
namespace {

// Calibration images are easier than new ones (the network was trained on their like), hence more than 99 %.
constexpr double kWantedAgreement = 0.998;
// Below, bits are added: what quantisation changes is to stay rare beside what the network gets wrong itself.
constexpr double kWantedKept = 0.985;
constexpr double kWantedExpected = 0.97;
constexpr int kRepeats = 4;
constexpr std::uint64_t kSeed = 1;

/// Replaces the rounding offset 2^(shift-1) of every element by the one that the protocol's local truncation
/// has: uniform in a window of 2^(shift - guard_bits) around it.
class LocalTruncation {
 public:
  LocalTruncation(const nn::QuantisedNetwork& network, int guard_bits, const Seed& seed, std::uint64_t stream)
      : network_(network), guard_bits_(guard_bits), prng_(seed, stream) {}

  void operator()(int node, std::span<std::int32_t> offset) {
    const nn::QOp& op = network_.nodes[static_cast<std::size_t>(node)].op;
    const auto clamp = nn::clamp_of(op);
    const auto* product = std::get_if<nn::QProduct>(&op);
    const auto* quadratic = std::get_if<nn::QQuadratic>(&op);
    if (!nn::is_activation(op)) return;
    // The argument of a quadratic has all guard bits or none (plan/quadratic.h).
    const int shift = clamp ? clamp->shift : product ? product->shift : quadratic->shift;
    const int dropped = !quadratic ? std::max(shift - guard_bits_, 0) : guard_bits_ >= shift ? 0 : shift;
    if (dropped == 0) return;
    random_.resize(offset.size());
    sample_bits(prng_, dropped, random_);
    const std::int32_t low = (std::int32_t{1} << (shift - 1)) - (std::int32_t{1} << (dropped - 1));
    for (std::size_t i = 0; i < offset.size(); ++i) offset[i] = low + static_cast<std::int32_t>(random_[i]);
  }

 private:
  const nn::QuantisedNetwork& network_;
  int guard_bits_;
  Prng prng_;
  std::vector<std::uint64_t> random_;
};

/// How well an integer network keeps a float network's labels on some images.
struct Kept {
  double observed = 0;  ///< fraction of images with the same label
  /// The same of new images, by margins: were the differences between the networks' logits normal, of the standard
  /// deviation seen, so many images would keep their label. Few images seldom show what is lost near ties, so margins
  /// count once as they are and once as if they were exponential, of the median seen; the worse counts.
  double expected = 1;
};

/// `logits`: the float network's, of one image after another.
Kept kept(const nn::QuantisedNetwork& network, std::span<const nn::Tensor> images,
          std::span<const float> logits) {
  const nn::IntegerExecutor executor(network);
  const std::size_t outputs = logits.size() / images.size();
  std::vector<double> margins(images.size()), squares(images.size());
  std::atomic<std::size_t> same = 0;
  parallel_for(images.size(), [&](std::size_t i) {
    const std::span<const float> wanted = logits.subspan(i * outputs, outputs);
    const auto got = executor.logits(nn::quantise_input(network, images[i].data));
    const int label = nn::argmax(wanted);
    if (nn::argmax(std::span<const std::int32_t>(got)) == label) ++same;
    const auto best = static_cast<std::size_t>(label);
    const auto error = [&](std::size_t k) { return got[k] * network.nodes.back().scale - double{wanted[k]}; };
    double margin = std::numeric_limits<double>::infinity(), sum = 0;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      if (k == best) continue;
      margin = std::min(margin, double{wanted[best]} - double{wanted[k]});
      sum += std::pow(error(best) - error(k), 2);
    }
    margins[i] = margin;
    squares[i] = wanted.size() > 1 ? sum / static_cast<double>(wanted.size() - 1) : 0;
  });
  const auto count = static_cast<double>(images.size());
  const double deviation = std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0) / count);
  Kept out{static_cast<double>(same) / count};
  if (deviation > 0) {
    double lost = 0;
    for (const double margin : margins) lost += std::erfc(margin / deviation / std::numbers::sqrt2) / 2;
    std::ranges::nth_element(margins, margins.begin() + static_cast<std::ptrdiff_t>(margins.size() / 2));
    const double median = std::max(margins[margins.size() / 2], 1e-30);
    // The mean of Q(m / d) over m of density r exp(-r m), with r d small: r d / sqrt(2 pi).
    const double near_ties = std::numbers::ln2 / median * deviation / std::sqrt(2 * std::numbers::pi);
    out.expected = 1 - std::max(lost / count, std::min(near_ties, 0.5));
  }
  return out;
}

bool keeps_labels(const Precision& precision) {
  return precision.keeps_float >= kWantedKept && precision.expected_kept >= kWantedExpected;
}

}  // namespace

double simulated_agreement(const nn::QuantisedNetwork& network, const nn::Dataset& images,
                           const nn::Normalization& normalization, int guard_bits, int repeats,
                           std::uint64_t seed) {
  const nn::IntegerExecutor executor(network);
  Seed key{};
  for (int i = 0; i < 8; ++i) key[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(seed >> (8 * i));
  std::atomic<std::size_t> same = 0;
  parallel_for(images.size(), [&](std::size_t i) {
    const auto input = nn::preprocess(network, images, i, normalization);
    const auto label = [&](const nn::IntegerHooks& hooks) {
      return nn::argmax(std::span<const std::int32_t>(executor.logits(input, hooks)));
    };
    const int clear = label({});
    for (int r = 0; r < repeats; ++r) {
      LocalTruncation truncation(network, guard_bits, key,
                                 i * static_cast<std::size_t>(repeats) + static_cast<std::size_t>(r));
      nn::IntegerHooks hooks;
      hooks.rounding = [&](int node, std::span<const std::int32_t>, std::span<std::int32_t> offset) {
        truncation(node, offset);
      };
      if (label(hooks) == clear) ++same;
    }
  });
  return static_cast<double>(same) / static_cast<double>(images.size() * static_cast<std::size_t>(repeats));
}

Precision choose_precision(const nn::Graph& graph, const nn::Dataset& calibration,
                           const nn::Normalization& normalization, int guard_bits, int wanted,
                           bool equalise) {
  std::vector<nn::Tensor> images;
  for (std::size_t i = 0; i < calibration.size(); ++i) images.push_back(calibration.input(i, normalization));
  const std::vector<float> logits =
      nn::logits(graph, calibration.inputs(0, calibration.size(), normalization));
  const bool bytes = !calibration.bytes.empty();
  const auto attempt = [&](int weight_bits, int activation_bits) {
    nn::QuantiseOptions options;
    options.weight_bits = weight_bits;
    options.activation_bits = activation_bits;
    options.equalise = equalise;
    if (!bytes) options.input_bits = weight_bits;
    Precision p{
        activation_bits, weight_bits, options.input_bits, 0, 0, 0, nn::quantise(graph, images, options)};
    const Kept labels = kept(p.network, images, logits);
    p.keeps_float = labels.observed;
    p.expected_kept = labels.expected;
    return p;
  };
  // Takes several times as long as the rest of an attempt: made where its answer decides.
  const auto simulate = [&](Precision& p) {
    p.agreement = simulated_agreement(p.network, calibration, normalization, guard_bits, kRepeats, kSeed);
  };
  // More bits can make sums too wide; what there is then stands.
  const auto improve = [&](Precision& best, int weight_bits, int activation_bits) -> bool {
    try {
      Precision p = attempt(weight_bits, activation_bits);
      if (std::min(p.keeps_float, p.expected_kept) < std::min(best.keeps_float, best.expected_kept))
        return false;
      best = std::move(p);
      return true;
    } catch (const Error& e) {
      if (e.code() != ErrorCode::input) throw;
      return false;
    }
  };
  Precision best = attempt(8, wanted > 0 ? wanted : kMinActivationBits);
  for (int bits = 10; bits <= kMaxWeightBits && !keeps_labels(best); bits += 2) {
    improve(best, bits, best.activation_bits);
  }
  simulate(best);
  for (int bits = kMinActivationBits + 1; wanted == 0 && bits <= kMaxActivationBits; ++bits) {
    if (best.agreement >= kWantedAgreement && keeps_labels(best)) break;
    if (improve(best, best.weight_bits, bits)) simulate(best);
  }
  return best;
}

std::string least_precise_layer(const nn::Graph& graph, const nn::Dataset& calibration,
                                const nn::Normalization& normalization, const Precision& precision) {
  constexpr std::size_t kImages = 8;
  std::vector<nn::Tensor> images;
  for (std::size_t i = 0; i < std::min(calibration.size(), kImages); ++i) {
    images.push_back(calibration.input(i, normalization));
  }
  nn::QuantiseOptions options;
  options.weight_bits = precision.weight_bits;
  options.activation_bits = precision.activation_bits;
  options.input_bits = precision.input_bits;
  const auto errors = nn::layer_errors(nn::quantise_with_reference(graph, images, options), images);
  const auto worst = std::ranges::max_element(errors, {}, &nn::LayerError::added);
  return worst == errors.end() ? std::string() : fmt::format("'{}' ({})", worst->name, worst->op);
}

}  // namespace ap::app
