// One linear layer under encryption, as the two parties run it, in the ring and packing that cost least time
// and bytes within an error budget. Counters are means of one evaluation; the CPU times are those of all
// threads, the error is measured on decrypted shares.
//
// Weights are normal, rounded, with four standard deviations at 127. The plaintext modulus 2^k is calibrated:
// it holds twice the largest output for half-normal 8-bit activations. The activation behind it keeps a sign
// and 8 bits, so it truncates f = k - 9 of them, and the error budget is 0.25 * 2^f.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "he/rlwe/keys.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/coefficient/packing_choice.h"
#include "layers/linear/coefficient/prepared_linear.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "layers/linear/noise_model.h"
#include "layers/linear/plaintext/clear_conv.h"
#include "security/limits.h"

namespace {

using namespace ap;
using linear::Geometry;
using Weights = std::vector<std::int16_t>;
using Values = std::vector<std::uint64_t>;

constexpr int kComparedBits = 9;
constexpr double kBudget = 0.25;
// The link that bytes are weighed with: 100 Mbit/s.
constexpr double kBytesPerSecond = 12.5e6;
// Coefficients that the error is measured on, at least.
constexpr std::size_t kSamples = 8192;

double process_cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

Weights random_weights(const Geometry& g, std::mt19937_64& random) {
  std::normal_distribution<double> normal(0, 127.0 / 4);
  Weights weights(static_cast<std::size_t>(g.weight_count()));
  for (auto& w : weights) {
    w = static_cast<std::int16_t>(std::clamp(std::lround(normal(random)), -127L, 127L));
  }
  return weights;
}

int calibrated_log2_p(const linear::ClearConv& conv, std::mt19937_64& random) {
  const Geometry& g = conv.geometry();
  std::normal_distribution<double> normal(0, 64);
  std::vector<std::uint32_t> x(static_cast<std::size_t>(g.in.size())),
      y(static_cast<std::size_t>(g.out().size()));
  for (auto& v : x) v = static_cast<std::uint32_t>(std::min(255L, std::lround(std::abs(normal(random)))));
  conv.apply(x, y);
  double largest = 1;
  for (const std::uint32_t v : y)
    largest = std::max(largest, std::abs(static_cast<double>(static_cast<std::int32_t>(v))));
  return static_cast<int>(std::ceil(std::log2(2 * 2 * largest)));
}

struct Choice {
  bfv::Parameters parameters;
  linear::PackingChoice packing;
  noise::ReplyNoise noise;
};

// One prime of `bits` bits, at most `max_outputs` outputs a product; nothing if its noise exceeds the budget,
// a fraction of q. Packing and dropped bits depend on each other weakly: two rounds.
std::optional<Choice> choose(const Geometry& g, const Weights& weights, std::uint32_t n, int bits,
                             int max_outputs, std::map<std::string, double>& norms) {
  Choice choice{{n, bfv::ntt_primes(bits, n, 1)}, {}, {n, 0, kErrorSigma, 0, 0}};
  if (choice.parameters.primes.empty()) return {};
  const double log2_q = choice.parameters.log2_q();
  const double budget = std::exp2(2 * (log2_q - kComparedBits)) * kBudget * kBudget;
  for (int round = 0; round < 2; ++round) {
    linear::UnitCosts costs =
        linear::typical_costs(n, log2_q, 1, choice.noise.c0_dropped_bits, choice.noise.c1_dropped_bits);
    costs.bytes_per_second = kBytesPerSecond;
    choice.packing = linear::choose_packing(g, n, costs, max_outputs);
    const linear::Packing& p = choice.packing.packing;
    const linear::Layout layout(g, p, n);
    const auto [norm, unknown] =
        norms.try_emplace(fmt::format("{} {} {} {} {} {} {}", n, p.window_h, p.window_w, p.channels_in,
                                      p.channels_out, p.groups, p.phases));
    if (unknown) norm->second = linear::max_reply_norm2(layout, weights);
    // The server's own noise is as wide as every plan has it.
    const std::uint64_t step = noise::noise_step({noise::kDefaultInferences, layout.reads_of_a_weight(),
                                                  noise::quarter_octave(linear::largest_magnitude(weights))},
                                                 std::numeric_limits<double>::infinity());
    choice.noise = {n, norm->second, kErrorSigma, 0, 0, step};
    const double left = budget - noise::variance(choice.noise);
    if (left < 0) return {};
    const auto drop = noise::choose_dropped_bits(n, layout.reads(0).size(), log2_q, left);
    choice.noise.c0_dropped_bits = drop.c0_dropped_bits;
    choice.noise.c1_dropped_bits = drop.c1_dropped_bits;
    costs = linear::typical_costs(n, log2_q, 1, drop.c0_dropped_bits, drop.c1_dropped_bits);
    costs.bytes_per_second = kBytesPerSecond;
    choice.packing = linear::price(g, p, costs);
  }
  return choice;
}

Choice cheapest(const Geometry& g, const Weights& weights, int log2_p) {
  std::optional<Choice> best;
  std::map<std::string, double> norms;
  for (const std::uint32_t n : {1024U, 2048U}) {
    for (int bits = 20; bits <= std::min(security::max_log2_q(n), 50); bits += n == 1024 ? 1 : 3) {
      if (bits <= log2_p) continue;
      for (const int max_outputs : {1, 2, 4, 8, 16, 0}) {
        const auto choice = choose(g, weights, n, bits, max_outputs, norms);
        if (choice && (!best || choice->packing.seconds < best->packing.seconds)) best = choice;
      }
    }
  }
  AP_ASSERT(best);
  return *best;
}

void run(benchmark::State& state, const Geometry& g) {
  Prng prng;
  std::mt19937_64 random(1);
  const Weights weights = random_weights(g, random);
  const linear::ClearConv clear(g, weights);
  const int log2_p = calibrated_log2_p(clear, random);
  const Choice choice = cheapest(g, weights, log2_p);
  const std::uint32_t n = choice.parameters.n;
  const double log2_q = choice.parameters.log2_q();
  const linear::Packing& p = choice.packing.packing;

  const auto context = bfv::make_context(choice.parameters);
  const auto layer = std::make_shared<const linear::HeLinear>(
      linear::Layout(g, p, n), context, log2_p, choice.noise.c0_dropped_bits, choice.noise.c1_dropped_bits,
      choice.noise.noise_step);
  const linear::PreparedLinear server(layer, weights);
  const rlwe::SecretKey secret(context, prng);
  const rlwe::PublicKey key(secret, prng);
  Values r(static_cast<std::size_t>(g.in.size())), ours(static_cast<std::size_t>(g.out().size()));
  Values theirs(ours.size()), exact(ours.size());
  sample_bits(prng, log2_p, r);
  clear.apply(r, exact);
  double client_ms = 0, server_ms = 0;
  const auto evaluate = [&] {
    const double start = process_cpu_ms();
    const Bytes uploads = layer->encrypt(secret, r, random_seed());
    const double uploaded = process_cpu_ms();
    const Bytes replies = server.apply(uploads, key, random_seed(), theirs);
    const double replied = process_cpu_ms();
    layer->decrypt(secret, replies, ours);
    client_ms += uploaded - start + process_cpu_ms() - replied;
    server_ms += replied - uploaded;
  };
  evaluate();
  client_ms = server_ms = 0;
  for (auto _ : state) evaluate();
  using benchmark::Counter;
  state.counters["server_cpu_ms"] = Counter(server_ms, Counter::kAvgIterations);
  state.counters["client_cpu_ms"] = Counter(client_ms, Counter::kAvgIterations);

  double squares = 0, samples = 0;
  while (samples < kSamples) {
    evaluate();
    for (std::size_t i = 0; i < ours.size(); ++i) {
      // The residue mod 2^log2_p nearest zero.
      const std::uint64_t sum = (ours[i] + theirs[i] - exact[i]) << (64 - log2_p);
      const auto error = static_cast<double>(static_cast<std::int64_t>(sum) >> (64 - log2_p));
      squares += error * error;
      ++samples;
    }
  }
  const double step = std::exp2(log2_p - kComparedBits);
  state.counters["error_std_over_2f"] = std::sqrt(squares / samples) / step;
  state.counters["error_predicted_over_2f"] =
      noise::deviation_std(noise::error_std(noise::variance(choice.noise), log2_q, log2_p)) / step;
  state.counters["bytes_up"] = static_cast<double>(layer->upload_bytes());
  state.counters["bytes_down"] = static_cast<double>(layer->reply_bytes());
  state.counters["lambda_bits"] = security::lambda_bits(n, log2_q);
  state.counters["uploads"] = static_cast<double>(choice.packing.counts.uploads);
  state.counters["products"] = static_cast<double>(choice.packing.counts.products);
  state.counters["replies"] = static_cast<double>(choice.packing.counts.replies);
  state.counters["weights_mib"] = static_cast<double>(server.memory_bytes()) / (1 << 20);
  state.counters["n"] = n;
  state.counters["log2_q"] = log2_q;
  state.counters["log2_p"] = log2_p;
  state.SetLabel(fmt::format("n {} q {} window {}x{} C {} M {} G {}{} drop {} {}", n, std::ceil(log2_q),
                             p.window_h, p.window_w, p.channels_in, p.channels_out, p.groups,
                             p.phases ? " phases" : "", choice.noise.c0_dropped_bits,
                             choice.noise.c1_dropped_bits));
}

void add(const std::string& name, const Geometry& g) {
  benchmark::RegisterBenchmark(name.c_str(), [g](benchmark::State& state) { run(state, g); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

void add_conv(int side, int c_in, int c_out, int kernel, int stride = 1, bool depthwise = false) {
  const int pad = kernel / 2;
  const Geometry g{{c_in, side, side},
                   {kernel, kernel, stride, stride, {pad, pad, pad, pad}},
                   depthwise ? c_in : 1,
                   c_out};
  add(fmt::format("conv/{}x{}x{}-{}-k{}{}{}", side, side, c_in, c_out, kernel,
                  stride == 1 ? "" : fmt::format("-s{}", stride), depthwise ? "-dw" : ""),
      g);
}

}  // namespace

int main(int argc, char** argv) {
  add_conv(32, 3, 16, 3);
  add_conv(32, 16, 16, 3);
  add_conv(32, 16, 32, 3, 2);
  add_conv(16, 32, 32, 3);
  add_conv(16, 32, 64, 3, 2);
  add_conv(8, 64, 64, 3);
  add_conv(32, 64, 64, 3);
  add_conv(56, 64, 64, 3);
  add_conv(14, 256, 256, 3);
  add_conv(32, 16, 32, 1, 2);
  add_conv(16, 192, 32, 1);
  add_conv(16, 192, 192, 3, 1, true);
  add_conv(16, 192, 192, 3, 2, true);
  add("fc/64-10", {{64, 1, 1}, {}, 1, 10});
  add("fc/2048-1000", {{2048, 1, 1}, {}, 1, 1000});
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
