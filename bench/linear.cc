// One linear layer under encryption, as the two parties run it: packing by the planner, random 8-bit weights,
// one prime at the degree 2048. Counters are means of one evaluation; the CPU times are those of all threads.
#include <benchmark/benchmark.h>

#include <cmath>
#include <ctime>
#include <string>

#include "linear/he_linear.h"
#include "linear/planner.h"
#include "noise/model.h"
#include "security/limits.h"

namespace {

using namespace ap;
using linear::Geometry;

constexpr std::uint32_t kDegree = 2048;
constexpr int kPrimeBits = 45;
// Bits of an accumulator that the activation compares; it truncates the others.
constexpr int kComparedBits = 10;
constexpr double kLog2Failure = -40;

double process_cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

void run(benchmark::State& state, const Geometry& g) {
  Prng prng;
  std::vector<std::int16_t> weights(static_cast<std::size_t>(g.weight_count()));
  for (auto& w : weights) w = static_cast<std::int8_t>(prng.next64());
  // The exact bound for 8-bit inputs.
  const auto fan_in = static_cast<std::size_t>(g.fan_in());
  double bound = 0;
  for (std::size_t o = 0; o < weights.size(); o += fan_in) {
    double sum = 0;
    for (std::size_t i = 0; i < fan_in; ++i) sum += std::abs(weights[o + i]) * 255.0;
    bound = std::max(bound, sum);
  }
  const int log2_p = static_cast<int>(std::ceil(std::log2(2 * bound + 1)));

  const auto context = bfv::make_context({kDegree, bfv::ntt_primes(kPrimeBits, kDegree, 1)});
  const double log2_q = bfv::parameters(*context).log2_q();
  // Packing and dropped bits depend on each other weakly: two rounds.
  noise::DroppedBits drop;
  linear::PackingChoice choice;
  noise::ReplyNoise reply{kDegree, 0, kErrorSigma, 0, 0};
  for (int round = 0; round < 2; ++round) {
    choice =
        linear::choose_packing(g, kDegree, linear::typical_costs(kDegree, log2_q, 1, drop.drop0, drop.drop1));
    const linear::Layout layout(g, choice.packing, kDegree);
    reply = {kDegree, linear::max_reply_norm2(layout, weights), kErrorSigma, 0, 0};
    const double outputs = static_cast<double>(g.out().size());
    const double slack = log2_q - noise::log2_q_for_failure(1, log2_p, kLog2Failure, outputs);
    drop = noise::choose_dropped_bits(
        kDegree, static_cast<std::size_t>(outputs / static_cast<double>(layout.replies())), log2_q,
        std::exp2(2 * slack) - noise::variance(reply));
  }
  reply.drop0 = drop.drop0;
  reply.drop1 = drop.drop1;

  const auto layer = std::make_shared<const linear::HeLinear>(linear::Layout(g, choice.packing, kDegree),
                                                              context, log2_p, drop.drop0, drop.drop1);
  const linear::PreparedLinear server(layer, weights);
  const bfv::SecretKey secret(context, prng);
  const bfv::PublicKey key(secret, prng);
  std::vector<std::uint64_t> r(static_cast<std::size_t>(g.in.size()));
  sample_bits(prng, log2_p, r);
  std::vector<std::uint64_t> ours(static_cast<std::size_t>(g.out().size())), theirs(ours.size());
  double client_ms = 0, server_ms = 0;
  for (auto _ : state) {
    const double start = process_cpu_ms();
    const Bytes uploads = layer->encrypt(secret, r, random_seed());
    const double uploaded = process_cpu_ms();
    const Bytes replies = server.apply(uploads, key, random_seed(), theirs);
    const double replied = process_cpu_ms();
    layer->decrypt(secret, replies, ours);
    client_ms += uploaded - start + process_cpu_ms() - replied;
    server_ms += replied - uploaded;
  }
  using benchmark::Counter;
  state.counters["server_cpu_ms"] = Counter(server_ms, Counter::kAvgIterations);
  state.counters["client_cpu_ms"] = Counter(client_ms, Counter::kAvgIterations);
  state.counters["bytes_up"] = static_cast<double>(layer->upload_bytes());
  state.counters["bytes_down"] = static_cast<double>(layer->reply_bytes());
  state.counters["error_std_over_2f"] =
      noise::deviation_std(noise::tau(noise::variance(reply), log2_q, log2_p)) /
      std::exp2(std::max(0, log2_p - kComparedBits));
  state.counters["lambda_bits"] = security::lambda_bits(kDegree, log2_q);
  state.counters["uploads"] = static_cast<double>(choice.counts.uploads);
  state.counters["products"] = static_cast<double>(choice.counts.products);
  state.counters["replies"] = static_cast<double>(choice.counts.replies);
  state.counters["log2_p"] = log2_p;
  const linear::Packing& p = choice.packing;
  state.SetLabel(fmt::format("window {}x{} C {} M {} G {}{} drop {} {}", p.window_h, p.window_w,
                             p.channels_in, p.channels_out, p.groups, p.phases ? " phases" : "", drop.drop0,
                             drop.drop1));
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
