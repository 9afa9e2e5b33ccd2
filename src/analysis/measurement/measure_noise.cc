#include "analysis/measurement/measure_noise.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <numbers>

#include "base/error.h"
#include "he/bfv/scheme.h"
#include "he/rlwe/keys.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/coefficient/layer_noise.h"
#include "layers/linear/coefficient/prepared_linear.h"
#include "layers/linear/noise_model.h"
#include "layers/linear/plaintext/clear_conv.h"
#include "random/prng.h"

namespace ap::analysis {
namespace {

constexpr int kBins = 33;
constexpr double kShownStds = 4;
// Shares are taken at a finer plaintext modulus than the plan's, so that rounding them hides nothing: the
// noise must be this many of its steps, or there is nothing to measure.
constexpr double kLeastSteps = 4;
constexpr int kMostBits = 60, kHeadroomBits = 3;
// Weights of larger layers would take gigabytes in prepared form.
constexpr std::int64_t kMostPolynomialBytes = std::int64_t{1} << 28;

struct Chosen {
  const plan::LinearChoice* choice;
  linear::Layout layout;
};

double gaussian_below(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// The layer's errors, in LSBs of the plan's modulus.
class Measurement {
 public:
  Measurement(const nn::QLinear& op, const bfv::Parameters& parameters, Chosen chosen)
      : choice_(*chosen.choice),
        layout_(std::move(chosen.layout)),
        context_(bfv::make_context(parameters)),
        log2_p_(std::min(kMostBits, static_cast<int>(parameters.log2_q()) - kHeadroomBits)),
        layer_(std::make_shared<const linear::HeLinear>(
            layout_, context_, log2_p_, chosen.choice->coefficient()->c0_dropped_bits,
            chosen.choice->coefficient()->c1_dropped_bits, choice_.noise_step)),
        prepared_(layer_, op.weights),
        clear_(layout_.geometry(), op.weights),
        error_stds_(noise::output_error_stds(layout_, op.weights,
                                             chosen.choice->coefficient()->c0_dropped_bits,
                                             chosen.choice->coefficient()->c1_dropped_bits,
                                             choice_.noise_step, parameters.log2_q(), choice_.log2_p)) {}

  double step() const { return std::exp2(choice_.log2_p - log2_p_); }
  const std::vector<float>& error_stds() const { return error_stds_; }

  /// Adds one evaluation's errors.
  void run(Prng& prng, std::vector<double>& errors) const {
    const auto seed = [&] {
      Seed s{};
      prng.fill(s);
      return s;
    };
    const rlwe::SecretKey key(context_, prng);
    const rlwe::PublicKey public_key(key, prng);
    std::vector<std::uint64_t> r(static_cast<std::size_t>(layout_.geometry().in.size()));
    sample_bits(prng, log2_p_, r);
    std::vector<std::uint64_t> expected(error_stds_.size()), server(error_stds_.size()),
        client(error_stds_.size());
    clear_.apply(std::span<const std::uint64_t>(r), std::span<std::uint64_t>(expected));
    const Bytes replies = prepared_.apply(layer_->encrypt(key, r, seed()), public_key, seed(), server);
    layer_->decrypt(key, replies, client);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::uint64_t difference = (server[i] + client[i] - expected[i])
                                       << static_cast<unsigned>(64 - log2_p_);
      errors.push_back(static_cast<double>(static_cast<std::int64_t>(difference)) * std::exp2(log2_p_ - 64) *
                       step());
    }
  }

 private:
  const plan::LinearChoice& choice_;
  linear::Layout layout_;
  bfv::ContextPtr context_;
  int log2_p_;
  std::shared_ptr<const linear::HeLinear> layer_;
  linear::PreparedLinear prepared_;
  linear::ClearConv clear_;
  std::vector<float> error_stds_;
};

void fill_bins(const std::vector<double>& errors, const std::vector<float>& error_stds, double step,
               NoiseLayer& layer) {
  const double reach = kShownStds * layer.predicted_std;
  layer.bin_width = 2 * reach / kBins;
  layer.measured.assign(kBins, 0);
  layer.predicted.assign(kBins, 0);
  double squares = 0;
  for (const double e : errors) {
    squares += e * e;
    const double bin = std::floor((e + reach) / layer.bin_width);
    if (bin >= 0 && bin < kBins) {
      layer.measured[static_cast<std::size_t>(bin)] += 1 / static_cast<double>(errors.size());
    } else {
      layer.outside += 1 / static_cast<double>(errors.size());
    }
  }
  layer.samples = errors.size();
  layer.measured_std = std::sqrt(squares / static_cast<double>(errors.size()));
  // Outputs of one reply share their error_std.
  std::map<float, double> weights;
  for (const float error_std : error_stds) weights[error_std] += 1 / static_cast<double>(error_stds.size());
  for (const auto& [error_std, weight] : weights) {
    const double deviation = noise::deviation_std(error_std / step) * step;
    for (int b = 0; b < kBins; ++b) {
      const double low = -reach + b * layer.bin_width;
      layer.predicted[static_cast<std::size_t>(b)] +=
          weight * (gaussian_below((low + layer.bin_width) / deviation) - gaussian_below(low / deviation));
    }
  }
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "this machine";
}

}  // namespace

NoiseCheck measure_noise(const package::Package& package, const std::string& source,
                         const std::string& network, const NoiseOptions& options) {
  AP_ASSERT(package.role == Party::server && options.layers > 0);
  NoiseCheck check{network, package.plan.policy, source, processor(), {}, {}};
  std::vector<Chosen> fit;
  for (const plan::LinearChoice& choice : package.plan.linears) {
    const plan::CoefficientChoice* replies = choice.coefficient();
    if (!replies) continue;
    const nn::QNode& node = package.network.nodes[static_cast<std::size_t>(choice.node)];
    const bfv::Parameters& ring = package.plan.groups[static_cast<std::size_t>(choice.group)];
    linear::Layout layout(linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c), replies->packing,
                          ring.n);
    const int log2_p = std::min(kMostBits, static_cast<int>(ring.log2_q()) - kHeadroomBits);
    if (choice.error_std * std::exp2(log2_p - choice.log2_p) < kLeastSteps) continue;
    if (layout.counts().weight_polynomials * ring.n > kMostPolynomialBytes / 8) continue;
    fit.push_back({&choice, std::move(layout)});
  }
  if (fit.size() < package.plan.linears.size()) {
    check.remark = fmt::format(
        "{} of {} linear layers can be measured so; the others are packed for SIMD, too "
        "large, or their noise is less than what rounding their shares adds.",
        fit.size(), package.plan.linears.size());
  }
  Prng prng;
  const std::size_t wanted = std::min(fit.size(), static_cast<std::size_t>(options.layers));
  for (std::size_t i = 0; i < wanted; ++i) {
    // The first, the last, and those between at equal distances.
    Chosen& chosen = fit[wanted == 1 ? 0 : i * (fit.size() - 1) / (wanted - 1)];
    const plan::LinearChoice& choice = *chosen.choice;
    const nn::QNode& node = package.network.nodes[static_cast<std::size_t>(choice.node)];
    const bfv::Parameters& ring = package.plan.groups[static_cast<std::size_t>(choice.group)];
    const Measurement measurement(std::get<nn::QLinear>(node.op), ring, std::move(chosen));
    NoiseLayer layer;
    layer.name = node.name;
    layer.n = ring.n;
    layer.log2_q = ring.log2_q();
    layer.log2_p = choice.log2_p;
    double squares = 0;
    for (const float error_std : measurement.error_stds()) {
      squares += std::pow(noise::deviation_std(error_std / measurement.step()) * measurement.step(), 2);
    }
    layer.predicted_std = std::sqrt(squares / static_cast<double>(measurement.error_stds().size()));
    std::vector<double> errors;
    const auto begin = std::chrono::steady_clock::now();
    do {
      measurement.run(prng, errors);
    } while (errors.size() < options.samples &&
             std::chrono::steady_clock::now() - begin <
                 std::chrono::duration<double>(options.seconds / options.layers));
    fill_bins(errors, measurement.error_stds(), measurement.step(), layer);
    check.layers.push_back(std::move(layer));
  }
  return check;
}

}  // namespace ap::analysis
