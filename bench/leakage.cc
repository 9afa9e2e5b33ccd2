// What the errors of results tell a client of the weights: the regression of leakage_attack.h, with the server's
// noise (as every policy compiles) and without it.
//
// usage: bench/leakage [--json] [--inferences N] [--simulate N]
//
// For the last layer of the bundled network, and where $AUTOPRIVACY_DATA has them the last and an inner layer of
// ResNet-32:
//   correlation_without_protection  least squares on N evaluations by the real code (fresh keys, real ciphertexts) of
//                                   a plan without the noise, with the client's own random numbers;
//   correlation_real                the same N evaluations of the plan as it is compiled;
//   correlation                     the matched filter on `--simulate` evaluations of that plan, drawn from its
//                                   distribution without ciphertexts: the client's errors, the server's noise by its
//                                   own sampler, the rest Gaussian, rounded as the protocol rounds. Of an inner layer,
//                                   with a thousand results for each weight, a thousandth as many are drawn, with the
//                                   signal <e, w> sqrt(1000) times as large: the same signal-to-noise ratio over all
//                                   (`equivalent`);
//   bound                           what T = `privacy_inferences` inferences tell of a weight at most, in bits.
// Inner layers are treated as if their results were opened, which they are not.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "app/compile.h"
#include "bench/leakage_attack.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/polynomial.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/coefficient/prepared_linear.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "layers/linear/noise_model.h"
#include "layers/linear/plaintext/clear_conv.h"
#include "nn/onnx/import.h"
#include "plan/privacy.h"
#include "random/wide_noise.h"

namespace ap::leakage {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kIterations = 12;
/// How many bits of the phase below those of a share are looked at, at most: the offset psi of the rounding.
constexpr int kMostPhaseBits = 10;

struct Layer {
  std::string name;
  const nn::QLinear* op;
  plan::LinearChoice choice;
  bfv::Parameters parameters;
  linear::Layout layout;

  double error_std() const {
    const Reply reply(layout, op->weights);
    double norm2 = 0;
    for (const float w : reply.weights()) norm2 += static_cast<double>(w) * w;
    const noise::ReplyNoise noise{parameters.n,
                                  norm2,
                                  kErrorSigma,
                                  choice.coefficient()->c0_dropped_bits,
                                  choice.coefficient()->c1_dropped_bits,
                                  choice.noise_step};
    return noise::error_std(noise::variance(noise), parameters.log2_q(), choice.log2_p);
  }
};

Layer layer_of(const package::Package& package, std::size_t index) {
  const plan::LinearChoice& choice = package.plan.linears.at(index);
  const nn::QNode& node = package.network.nodes.at(static_cast<std::size_t>(choice.node));
  const auto& op = std::get<nn::QLinear>(node.op);
  const bfv::Parameters& parameters = package.plan.groups.at(static_cast<std::size_t>(choice.group));
  return {node.name, &op, choice, parameters,
          linear::Layout(linear::geometry_of(op, node.shape.c), choice.coefficient()->packing, parameters.n)};
}

/// The errors that HeLinear::encrypt drew from this seed, upload after upload: the client's own tape, read again.
void errors_of_uploads(const Layer& layer, const Reply& reply, const Seed& seed, std::int8_t* out) {
  for (std::size_t t = 0; t < reply.terms(); ++t) {
    Prng prng(seed, reply.first_upload() + t);
    Seed skipped;
    prng.fill(std::span<std::uint8_t>(skipped));
    const auto errors = rlwe::draw_errors(layer.parameters.n, prng, rlwe::ErrorSource::centred_binomial);
    std::copy(errors.begin(), errors.end(), out + t * reply.n());
  }
}

/// `count` evaluations by the real code.
Transcript real_transcript(const Layer& layer, const Reply& reply, std::size_t count) {
  const bfv::ContextPtr context = bfv::make_context(layer.parameters);
  const auto he = [&](int log2_p) {
    return std::make_shared<const linear::HeLinear>(
        layer.layout, context, log2_p, layer.choice.coefficient()->c0_dropped_bits,
        layer.choice.coefficient()->c1_dropped_bits, layer.choice.noise_step);
  };
  const int log2_p = layer.choice.log2_p;
  const int more = std::min(kMostPhaseBits, static_cast<int>(layer.parameters.log2_q()) - 1 - log2_p);
  const auto shares = he(log2_p), phases = he(log2_p + more);
  const linear::PreparedLinear server(shares, layer.op->weights);
  const linear::ClearConv clear(layer.layout.geometry(), layer.op->weights);
  const std::size_t each = reply.terms() * reply.n(), reads = reply.positions().size();
  Transcript seen{std::vector<std::int8_t>(count * each), std::vector<float>(count * reads)};
  const double error_std = layer.error_std();
  parallel_for(count, [&](std::size_t t) {
    Prng prng;
    const rlwe::SecretKey secret(context, prng);
    const rlwe::PublicKey key(secret, prng);
    const Seed seed = random_seed();
    std::vector<std::uint64_t> r(static_cast<std::size_t>(layer.layout.geometry().in.size()));
    sample_bits(prng, log2_p, r);
    std::vector<std::uint64_t> exact(static_cast<std::size_t>(layer.layout.geometry().out().size()));
    std::vector<std::uint64_t> theirs(exact.size()), ours(exact.size()), fine(exact.size());
    clear.apply(std::span<const std::uint64_t>(r), std::span<std::uint64_t>(exact));
    const Bytes replies = server.apply(shares->encrypt(secret, r, seed), key, random_seed(), theirs);
    shares->decrypt(secret, replies, ours);
    phases->decrypt(secret, replies, fine);
    errors_of_uploads(layer, reply, seed, seen.errors.data() + t * each);
    for (std::size_t i = 0; i < reads; ++i) {
      const std::uint32_t o = reply.outputs()[i];
      const std::uint64_t sum = (ours[o] + theirs[o] - exact[o]) << (64 - log2_p);
      const auto delta = static_cast<double>(static_cast<std::int64_t>(sum) >> (64 - log2_p));
      const std::uint64_t part = (fine[o] - (ours[o] << more)) << (64 - log2_p - more);
      const double psi =
          std::ldexp(static_cast<double>(static_cast<std::int64_t>(part) >> (64 - log2_p - more)), -more);
      seen.scores[t * reads + i] = static_cast<float>(score(delta, psi, error_std));
    }
  });
  return seen;
}

/// The matched filter on `count` evaluations drawn from the distribution, <e, w> being `gain` times as large.
std::vector<double> simulated_filter(const Layer& layer, const Reply& reply, std::size_t count, double gain) {
  constexpr std::size_t kBlock = 256;
  const double unit = std::exp2(layer.choice.log2_p - layer.parameters.log2_q());
  const double own = wide_noise_sigma(layer.choice.noise_step) * unit;
  const double rest = std::sqrt(std::max(0.0, layer.error_std() * layer.error_std() - own * own));
  const double error_std = layer.error_std();
  const std::size_t each = reply.terms() * reply.n(), reads = reply.positions().size();
  std::vector<std::vector<double>> sums((count + kBlock - 1) / kBlock);
  parallel_for(sums.size(), [&](std::size_t block) {
    Prng prng;
    std::mt19937_64 plain(prng.next64());
    std::normal_distribution<double> gauss;
    std::uniform_real_distribution<double> offset(-0.5, 0.5);
    std::vector<std::int8_t> errors(each);
    std::vector<float> products(reads), scores(reads);
    std::vector<std::int64_t> noise(reads);
    sums[block].assign(each, 0);
    for (std::size_t t = block * kBlock; t < std::min(count, (block + 1) * kBlock); ++t) {
      sample_error(prng, errors);
      reply.apply(errors.data(), reply.weights(), products);
      if (layer.choice.noise_step > 0) sample_wide_noise(prng, layer.choice.noise_step, noise);
      for (std::size_t i = 0; i < reads; ++i) {
        const double psi = offset(plain);
        const double error =
            unit * (gain * products[i] + static_cast<double>(noise[i])) + rest * gauss(plain);
        scores[i] = static_cast<float>(score(std::nearbyint(error - psi), psi, error_std));
      }
      reply.add_transposed(errors.data(), scores, sums[block]);
    }
  });
  for (std::size_t block = 1; block < sums.size(); ++block) {
    for (std::size_t i = 0; i < each; ++i) sums[0][i] += sums[block][i];
  }
  return sums[0];
}

app::Compiled compile(const std::string& model, const std::string& images, const std::string& normalization,
                      std::uint64_t inferences) {
  const nn::Graph graph = nn::import_onnx(model);
  app::CompileOptions options;
  options.policy = "budget";
  options.activation_bits = 8;
  options.privacy_inferences = inferences;
  return app::compile(graph, nn::load_dataset(images, {0, 256}, graph.input_shape()),
                      nn::Normalization::parse(normalization), options);
}

struct Options {
  bool json = false;
  std::size_t inferences = 10'000, simulate = 1'000'000;
};

/// `from_end`: layers counted from the last; `opened`: whether its results are the logits.
Json attack(const std::string& network, const app::Compiled& with, const app::Compiled& without,
            std::size_t from_end, bool opened, const Options& options) {
  const std::size_t index = with.package.plan.linears.size() - 1 - from_end;
  const Layer safe = layer_of(with.package, index), bare = layer_of(without.package, index);
  const Reply safe_reply(safe.layout, safe.op->weights), bare_reply(bare.layout, bare.op->weights);
  // An inner reply has a thousand results: as much is learnt from fewer evaluations.
  const std::size_t fewer = opened ? 1 : 1000;
  const std::size_t real = std::max<std::size_t>(options.inferences / (opened ? 1 : 20), 1);
  const auto estimate = [&](const Reply& reply, const Transcript& seen) {
    return opened ? least_squares(reply, seen, kIterations) : matched_filter(reply, seen);
  };
  const double unprotected =
      bare_reply.correlation(estimate(bare_reply, real_transcript(bare, bare_reply, real)));
  const double protected_real =
      safe_reply.correlation(estimate(safe_reply, real_transcript(safe, safe_reply, real)));
  const double simulated = safe_reply.correlation(
      simulated_filter(safe, safe_reply, options.simulate / fewer, std::sqrt(static_cast<double>(fewer))));
  const double snr = plan::weight_snr(with.package.network, with.package.plan);
  return {{"network", network},
          {"layer", safe.name},
          {"opened", opened},
          {"inferences", options.simulate},
          {"correlation", simulated},
          {"equivalent", fewer > 1},
          {"inferences_real", real},
          {"correlation_real", protected_real},
          {"correlation_without_protection", unprotected},
          {"weights", std::count_if(safe_reply.weights().begin(), safe_reply.weights().end(),
                                    [](float w) { return w != 0; })},
          {"n", safe.parameters.n},
          {"log2_q", safe.parameters.log2_q()},
          {"error_std", safe.choice.error_std},
          {"snr", snr},
          {"privacy_inferences", with.package.plan.privacy.inferences},
          {"bound", noise::bits_per_weight(snr)}};
}

Json run(const Options& options) {
  Json rows = Json::array();
  const auto add = [&](const std::string& name, const std::string& model, const std::string& images,
                       const std::string& normalization, std::vector<std::size_t> from_end) {
    const app::Compiled with = compile(model, images, normalization, noise::kDefaultInferences);
    const app::Compiled without = compile(model, images, normalization, 0);
    for (const std::size_t back : from_end) {
      rows.push_back(attack(name, with, without, back, back == 0, options));
      const Json& r = rows.back();
      if (options.json) continue;
      fmt::print(
          "{} {}: without noise {:.3f} after {} inferences; with it {:.3f} after as many, {:.3f} after {}; at "
          "most {:.4f} bits a weight after {}\n",
          name, r["layer"].get<std::string>(), r["correlation_without_protection"].get<double>(),
          r["inferences_real"].get<std::size_t>(), r["correlation_real"].get<double>(),
          r["correlation"].get<double>(), options.simulate, r["bound"].get<double>(),
          r["privacy_inferences"].get<std::uint64_t>());
    }
  };
  add("bundled", AP_SOURCE_DIR "/models/fashion_mnist.onnx", "mnist-train:/usr/share/datasets/fashion-mnist",
      "scale=255 mean=0.2860 std=0.3530", {0});
  const char* named = std::getenv("AUTOPRIVACY_DATA");
  const std::string data = named ? named : AP_SOURCE_DIR "/../shared/data";
  const std::string resnet = data + "/models/resnet32_cifar100_delphi_relu6.onnx";
  if (std::filesystem::exists(resnet)) {
    add("ResNet-32", resnet, "cifar100:" + data + "/cifar100/train_subset_20k.bin.xz", "scale=255", {0, 15});
  }
  return rows;
}

}  // namespace
}  // namespace ap::leakage

int main(int argc, char** argv) {
  ap::leakage::Options options;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool more = i + 1 < arguments.size();
    if (arguments[i] == "--json") {
      options.json = true;
    } else if (arguments[i] == "--inferences" && more) {
      options.inferences = std::strtoull(arguments[++i].c_str(), nullptr, 10);
    } else if (arguments[i] == "--simulate" && more) {
      options.simulate = std::strtoull(arguments[++i].c_str(), nullptr, 10);
    } else {
      fmt::print(stderr, "usage: leakage [--json] [--inferences N] [--simulate N]\n");
      return 2;
    }
  }
  try {
    const ap::leakage::Json rows = ap::leakage::run(options);
    if (options.json) fmt::print("{}\n", rows.dump(2));
  } catch (const std::exception& error) {
    fmt::print(stderr, "leakage: {}\n", error.what());
    return 1;
  }
  return 0;
}
