// The two-party primitives and the activations. Unless said otherwise two threads play the parties and talk
// through WebSocket over TLS on the loopback device. AUTOPRIVACY_THREADS=1 gives each party one thread of its
// own.
//   garble_and         half-gates garbled in memory
//   garble_and_socket  garbled, sent and evaluated
//   silent_cot         correlated transfers, both parties
//   relu/ENGINE/K/F    ReLU of 2^18 shares mod 2^K with F bits truncated, clamped to 8 bits (K = 37: gc to 16
//   bits,
//                      ot not at all), offline and online together; every result is compared with the clear
//                      one
//   quadratic/beaver/K/F  c0 + c1 t + t^2 of 2^18 shares mod 2^K, then clamped as relu/ot does, into shares
//   mod
//                      2^20; wrong: by more than one
// Counters: per_second, bytes_each, cpu_us_each (both parties and their connection threads), wall_us_each,
// wrong; for ReLU also bytes and wall time of the online phase alone.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <string>
#include <thread>

#include "layers/activation/gc/activation_evaluator.h"
#include "layers/activation/gc/activation_garbler.h"
#include "layers/activation/one_trip/one_trip_activation.h"
#include "layers/activation/ot/ot_activation.h"
#include "mpc/garble/garble.h"
#include "mpc/ot/silent_cot.h"
#include "net/websocket/websocket.h"
#include "random/prng.h"

namespace {

using namespace ap;
using benchmark::Counter;

constexpr std::size_t kElements = std::size_t{1} << 18;

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A client and a server connected over loopback.
struct Link {
  Link() {
    const net::TlsIdentity identity = net::make_self_signed("127.0.0.1");
    net::Listener listener("127.0.0.1", 0, identity);
    std::thread accepting([&] { server = listener.accept(std::chrono::seconds(10)); });
    client = net::connect(listener.url(),
                          net::TlsTrust::pinned_certificate(net::certificate_fingerprint(identity)));
    accepting.join();
  }
  std::uint64_t bytes() const {
    const net::Traffic t = client->traffic();
    return t.bytes_sent + t.bytes_received;
  }
  std::unique_ptr<net::Channel> client;
  std::unique_ptr<net::Channel> server;
};

void both(const std::function<void()>& client, const std::function<void()>& server) {
  std::thread other(server);
  client();
  other.join();
}

/// Sums up what phases cost.
struct Phase {
  double cpu = 0;
  double wall = 0;
  std::uint64_t bytes = 0;
  void measure(const Link& link, const std::function<void()>& body) {
    const double cpu_before = cpu_seconds(), wall_before = wall_seconds();
    const std::uint64_t bytes_before = link.bytes();
    body();
    cpu += cpu_seconds() - cpu_before;
    wall += wall_seconds() - wall_before;
    bytes += link.bytes() - bytes_before;
  }
};

/// Sixty-four AND gates on sixteen inputs.
mpc::Circuit and_circuit() {
  mpc::Circuit circuit;
  circuit.inputs = 16;
  for (mpc::Wire i = 0; i < 64; ++i) circuit.add(mpc::GateKind::and_wires, i, i + 5 < 16 ? i + 5 : i % 16);
  circuit.outputs = {circuit.inputs + 63};
  return circuit;
}

constexpr std::size_t kInstances = 4096;

struct AndBatch {
  AndBatch()
      : inputs(kInstances * circuit.inputs), outputs(kInstances), garbled(circuit.garbled_bytes(kInstances)) {
    Prng prng;
    for (mpc::Block& label : inputs) label = {prng.next64(), prng.next64()};
    delta = {prng.next64() | 1, prng.next64()};
  }
  void garble() {
    mpc::garble(circuit, keys, delta, tweak, kInstances, inputs, {}, {}, outputs, garbled);
    tweak += circuit.tweaks() * kInstances;
  }
  mpc::Circuit circuit = and_circuit();
  mpc::HashKeys keys{SessionKey()};
  std::vector<mpc::Block> inputs, outputs;
  Bytes garbled;
  mpc::Block delta;
  std::uint64_t tweak = 0;
};

void garble_and(benchmark::State& state) {
  AndBatch batch;
  for (auto _ : state) batch.garble();
  const double gates = static_cast<double>(state.iterations() * kInstances * 64);
  state.counters["per_second"] = Counter(gates, Counter::kIsRate);
  state.counters["bytes_each"] = static_cast<double>(batch.garbled.size()) / (kInstances * 64);
}

void garble_and_socket(benchmark::State& state) {
  constexpr std::size_t kMessages = 32;
  constexpr net::MessageType kType = 1;
  Link link;
  AndBatch garbler, evaluator;
  Phase phase;
  double gates = 0;
  for (auto _ : state) {
    phase.measure(link, [&] {
      both(
          [&] {
            for (std::size_t i = 0; i < kMessages; ++i) {
              garbler.garble();
              link.client->send(kType, garbler.garbled);
            }
          },
          [&] {
            for (std::size_t i = 0; i < kMessages; ++i) {
              const Bytes tables = link.server->receive_exactly(kType, evaluator.garbled.size());
              mpc::evaluate(evaluator.circuit, evaluator.keys, evaluator.tweak, kInstances, evaluator.inputs,
                            {}, tables, evaluator.outputs, {});
              evaluator.tweak += evaluator.circuit.tweaks() * kInstances;
            }
          });
    });
    gates += static_cast<double>(kMessages * kInstances * 64);
  }
  state.counters["per_second"] = Counter(gates, Counter::kIsRate);
  state.counters["bytes_each"] = static_cast<double>(phase.bytes) / gates;
}

void silent_cot(benchmark::State& state) {
  constexpr std::uint64_t kDraw = std::uint64_t{1} << 24;
  constexpr std::size_t kPart = std::size_t{1} << 16;
  constexpr mpc::SilentCotMessages kMessages{{{1, 2}, 5, 3, 6, 7}, 4, {8, 9}};
  Link link;
  std::unique_ptr<mpc::SilentCotSender> sender;
  std::unique_ptr<mpc::SilentCotReceiver> receiver;
  const auto draw = [&](mpc::SilentCot& cots, net::Channel& channel, std::uint64_t count) {
    std::vector<mpc::Block> blocks(kPart);
    for (std::uint64_t i = 0; i < count; i += kPart) cots.extend(channel, blocks);
  };
  // The one-time set-up is left out: base OTs, the small set, the start of the large one.
  both(
      [&] {
        Prng prng;
        sender = std::make_unique<mpc::SilentCotSender>(*link.client, kMessages, SessionKey(), prng);
        sender->expect(kDraw);
        draw(*sender, *link.client, kPart);
      },
      [&] {
        Prng prng;
        receiver = std::make_unique<mpc::SilentCotReceiver>(*link.server, kMessages, SessionKey(), prng);
        receiver->expect(kDraw);
        draw(*receiver, *link.server, kPart);
      });
  Phase phase;
  for (auto _ : state) {
    phase.measure(link, [&] {
      both([&] { draw(*sender, *link.client, kDraw); }, [&] { draw(*receiver, *link.server, kDraw); });
    });
  }
  const double count = static_cast<double>(state.iterations()) * static_cast<double>(kDraw);
  state.counters["per_second"] = Counter(count, Counter::kIsRate);
  state.counters["bytes_each"] = static_cast<double>(phase.bytes) / count;
  state.counters["cpu_us_each"] = 1e6 * phase.cpu / count;
}

struct Layer {
  activation::ActivationSpec spec;
  std::vector<std::uint64_t> a, b, r, expected;
};

Layer random_layer(int k, int f, bool unclamped) {
  Layer layer;
  activation::ActivationSpec& spec = layer.spec;
  spec.inputs = spec.outputs = kElements;
  spec.sum_bits = k - f;
  spec.clamp_bits = f > 0 ? 8 : unclamped ? k : 16;
  spec.out_bits = k;
  Prng prng;
  for (auto* words : {&layer.a, &layer.b, &layer.r}) words->resize(kElements);
  sample_bits(prng, spec.share_bits(), layer.a);
  sample_bits(prng, spec.share_bits(), layer.b);
  sample_bits(prng, k, layer.r);
  const std::uint64_t modulus = std::uint64_t{1} << (k - f);
  const std::uint64_t top = (std::uint64_t{1} << spec.clamp_bits) - 1;
  for (std::size_t i = 0; i < kElements; ++i) {
    const std::uint64_t t = (layer.a[i] + layer.b[i]) % modulus;
    const std::uint64_t v = t >= modulus / 2 ? 0 : std::min(t, top);
    layer.expected.push_back((v - layer.r[i]) & ((std::uint64_t{1} << k) - 1));
  }
  return layer;
}

void report(benchmark::State& state, const Phase& offline, const Phase& online, std::size_t wrong) {
  const double count = static_cast<double>(state.iterations()) * static_cast<double>(kElements);
  state.counters["cpu_us_each"] = 1e6 * (offline.cpu + online.cpu) / count;
  state.counters["wall_us_each"] = 1e6 * (offline.wall + online.wall) / count;
  state.counters["bytes_each"] = static_cast<double>(offline.bytes + online.bytes) / count;
  state.counters["online_wall_us_each"] = 1e6 * online.wall / count;
  state.counters["online_cpu_us_each"] = 1e6 * online.cpu / count;
  state.counters["online_bytes_each"] = static_cast<double>(online.bytes) / count;
  state.counters["wrong"] = static_cast<double>(wrong);
}

Layer random_quadratic(int k, int f, bool exact) {
  Layer layer;
  activation::ActivationSpec& spec = layer.spec;
  spec.inputs = spec.outputs = kElements;
  spec.sum_bits = k - f;
  spec.guard_bits = exact ? f : 3;
  spec.clamp_bits = 8;
  spec.out_bits = 20;
  spec.square = activation::SquareSpec{k, exact ? 7 : 0, k, 6494, 203, 1, exact ? 0 : f - 3};
  Prng prng;
  for (auto* words : {&layer.a, &layer.b, &layer.r}) words->resize(kElements);
  sample_bits(prng, spec.argument_bits(), layer.a);
  sample_bits(prng, spec.argument_bits(), layer.b);
  sample_bits(prng, spec.out_bits, layer.r);
  for (std::size_t i = 0; i < kElements; ++i) {
    const std::uint64_t t = (layer.a[i] + layer.b[i]) >> spec.square->guard_bits;
    const auto u = static_cast<std::int64_t>((6494 + 203 * t + t * t) << (64 - k)) >> (64 - k);
    const std::int64_t v = std::clamp<std::int64_t>(u >> f, 0, 255);
    layer.expected.push_back((static_cast<std::uint64_t>(v) - layer.r[i]) & 0xfffff);
  }
  return layer;
}

/// Differences of -1 are those of dropped bits. (Where the lowest value of all loses a bit it becomes the
/// highest; plans keep away from there.)
std::size_t count_wrong_by_more(const Layer& layer, const std::vector<std::uint64_t>& results) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kElements; ++i) {
    const std::uint64_t lost = (layer.expected[i] - results[i]) & 0xfffff;
    wrong += lost > 1 && lost != 0xfffff - 254;
  }
  return wrong;
}

std::size_t count_wrong(const Layer& layer, const std::vector<std::uint64_t>& results) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kElements; ++i) wrong += results[i] != layer.expected[i];
  return wrong;
}

void relu_gc(benchmark::State& state, int k, int f) {
  using namespace activation;
  Link link;
  std::unique_ptr<ActivationGarbler> client;
  std::unique_ptr<ActivationEvaluator> server;
  both([&] { client = std::make_unique<ActivationGarbler>(*link.client, SessionKey()); },
       [&] { server = std::make_unique<ActivationEvaluator>(*link.server, SessionKey()); });
  const Layer layer = random_layer(k, f, false);
  Phase offline, online;
  std::size_t wrong = 0;
  for (auto _ : state) {
    GarblerPreprocessing mine;
    EvaluatorPreprocessing theirs;
    std::vector<std::uint64_t> results;
    offline.measure(link, [&] {
      both([&] { mine = client->garble(layer.spec, layer.b, layer.r); },
           [&] { theirs = server->receive_tables(server->prepare(layer.spec)); });
    });
    online.measure(link, [&] {
      both([&] { client->answer(std::move(mine)); },
           [&] {
             server->request(theirs, layer.a);
             results = server->evaluate(std::move(theirs));
           });
    });
    wrong += count_wrong(layer, results);
  }
  report(state, offline, online, wrong);
}

void run_ot(benchmark::State& state, const Layer& layer) {
  using namespace activation;
  Link link;
  std::unique_ptr<OtActivationClient> client;
  std::unique_ptr<OtActivationServer> server;
  // A quadratic takes the client's shares offline.
  const bool squared = layer.spec.needs_words_offline();
  const std::span<const std::uint64_t> offline_b = squared ? layer.b : std::span<const std::uint64_t>();
  const std::span<const std::uint64_t> online_b = squared ? std::span<const std::uint64_t>() : layer.b;
  // The one-time set-up of the transfers is left out: base OTs, seeds, the start of the large set.
  ActivationSpec tiny = layer.spec;
  tiny.inputs = tiny.outputs = 128;
  if (tiny.product) tiny.product->plane = 1;
  const auto tiny_b = offline_b.first(squared ? tiny.arguments() : 0);
  const OtCost cost = ot_cost(layer.spec);
  both(
      [&] {
        client = std::make_unique<OtActivationClient>(*link.client, SessionKey());
        client->expect(cost);
        client->prepare(tiny, tiny_b);
      },
      [&] {
        server = std::make_unique<OtActivationServer>(*link.server, SessionKey());
        server->expect(cost);
        server->prepare(tiny);
      });
  Phase offline, online;
  std::size_t wrong = 0;
  for (auto _ : state) {
    OtClientPreprocessing mine;
    OtServerPreprocessing theirs;
    std::vector<std::uint64_t> results;
    offline.measure(link, [&] {
      both([&] { mine = client->prepare(layer.spec, offline_b); },
           [&] { theirs = server->prepare(layer.spec); });
    });
    online.measure(link, [&] {
      both([&] { client->run(std::move(mine), online_b, layer.r); },
           [&] { results = server->run(std::move(theirs), layer.a); });
    });
    wrong += layer.spec.square ? count_wrong_by_more(layer, results) : count_wrong(layer, results);
  }
  report(state, offline, online, wrong);
  state.counters["flights"] = cost.one_way_messages;
}

void relu_one_trip(benchmark::State& state, int k, int f) {
  using namespace activation;
  const Layer layer = random_layer(k, f, true);
  const auto plan = std::make_shared<const OneTripPlan>(plan_one_trip_layer(layer.spec));
  ActivationSpec tiny_spec = layer.spec;
  tiny_spec.inputs = tiny_spec.outputs = 128;
  const auto tiny = std::make_shared<const OneTripPlan>(plan_one_trip_layer(tiny_spec));
  const std::span<const std::uint64_t> b(layer.b), r(layer.r);
  Link link;
  std::unique_ptr<OtActivationClient> client;
  std::unique_ptr<OtActivationServer> server;
  const auto prepare_client = [&](const auto& which, auto words, auto masks) {
    OneTripClientPreprocessing material = OneTripClient::begin(*client, which);
    OneTripClient::complete(*client, material, words, masks);
    return material;
  };
  const auto prepare_server = [&](const auto& which) {
    OneTripServerPreprocessing material = OneTripServer::begin(*server, which);
    OneTripServer::complete(*server, material);
    return material;
  };
  const OtCost cost = one_trip_cost(*plan);
  both(
      [&] {
        client = std::make_unique<OtActivationClient>(*link.client, SessionKey());
        client->expect(cost);
        prepare_client(tiny, b.first(128), r.first(128));
      },
      [&] {
        server = std::make_unique<OtActivationServer>(*link.server, SessionKey());
        server->expect(cost);
        prepare_server(tiny);
      });
  Phase offline, online;
  std::size_t wrong = 0;
  for (auto _ : state) {
    OneTripClientPreprocessing mine;
    OneTripServerPreprocessing theirs;
    std::vector<std::uint64_t> results;
    offline.measure(link, [&] {
      both([&] { mine = prepare_client(plan, b, r); }, [&] { theirs = prepare_server(plan); });
    });
    online.measure(link, [&] {
      both([&] { OneTripClient::run(*link.client, std::move(mine)); },
           [&] { results = OneTripServer::run(*link.server, std::move(theirs), layer.a); });
    });
    wrong += count_wrong(layer, results);
  }
  report(state, offline, online, wrong);
  state.counters["flights"] = cost.one_way_messages;
}

/// A table of random values behind a clamp: of 9 bits with a positive part (SiLU and the like at 8 bits), else of 8
/// bits (sigmoids), with all f bits exact.
Layer random_table(int k, int f, bool relu, int cell_bits, int value_bits) {
  Layer layer;
  activation::ActivationSpec& spec = layer.spec;
  spec.inputs = spec.outputs = kElements;
  spec.sum_bits = k - f;
  spec.guard_bits = f;
  spec.clamp_bits = relu ? 9 : 8;
  spec.out_bits = 20;
  spec.table = activation::TableSpec{relu, relu, cell_bits, value_bits, {}};
  Prng prng;
  for (int i = 0; i < 1 << spec.table->index_bits(spec.clamp_bits); ++i) {
    spec.table->values.push_back(static_cast<std::uint16_t>(prng.next64() >> (64 - value_bits)));
  }
  for (auto* words : {&layer.a, &layer.b, &layer.r}) words->resize(kElements);
  sample_bits(prng, k, layer.a);
  sample_bits(prng, k, layer.b);
  sample_bits(prng, spec.out_bits, layer.r);
  const std::int64_t half = 256;
  for (std::size_t i = 0; i < kElements; ++i) {
    const auto x = static_cast<std::int64_t>((layer.a[i] + layer.b[i]) << (64 - k)) >> (64 - k);
    const std::int64_t u = std::clamp<std::int64_t>(x >> f, 0, (1 << spec.clamp_bits) - 1);
    const std::int64_t place = relu ? std::abs(u - half) % half : u;
    const std::int64_t v = (relu ? std::max<std::int64_t>(u - half, 0) : 0) +
                           spec.table->values[static_cast<std::size_t>(place >> cell_bits)];
    layer.expected.push_back((static_cast<std::uint64_t>(v) - layer.r[i]) & 0xfffff);
  }
  return layer;
}

/// Products modulo 2^k, clamped to 8 bits after f bits, all exact; one factor for 64 elements.
Layer random_product(int k, int f) {
  Layer layer;
  activation::ActivationSpec& spec = layer.spec;
  spec.inputs = spec.outputs = kElements;
  spec.sum_bits = k - f;
  spec.guard_bits = f;
  spec.clamp_bits = 8;
  spec.out_bits = 20;
  spec.product = activation::ProductSpec{k, 0, 0, 64};
  Prng prng;
  for (auto* words : {&layer.a, &layer.b}) words->resize(spec.arguments());
  layer.r.resize(kElements);
  sample_bits(prng, k, layer.a);
  sample_bits(prng, k, layer.b);
  sample_bits(prng, spec.out_bits, layer.r);
  for (std::size_t i = 0; i < kElements; ++i) {
    const std::size_t g = kElements + i / 64;
    const std::uint64_t product = (layer.a[i] + layer.b[i]) * (layer.a[g] + layer.b[g]);
    const std::int64_t t = (static_cast<std::int64_t>(product << (64 - k)) >> (64 - k)) >> f;
    const std::int64_t v = std::clamp<std::int64_t>(t, 0, 255);
    layer.expected.push_back((static_cast<std::uint64_t>(v) - layer.r[i]) & 0xfffff);
  }
  return layer;
}

// SiLU, GELU and HardSwish at 8 bits have 64 cells of 3 to 5 bits; a sigmoid has 256 of 8.
void curve(benchmark::State& state, int k, int f) { run_ot(state, random_table(k, f, true, 2, 4)); }
void sigmoid(benchmark::State& state, int k, int f) { run_ot(state, random_table(k, f, false, 0, 8)); }
void product(benchmark::State& state, int k, int f) { run_ot(state, random_product(k, f)); }

void relu_ot(benchmark::State& state, int k, int f) { run_ot(state, random_layer(k, f, true)); }
void quadratic(benchmark::State& state, int k, int f) { run_ot(state, random_quadratic(k, f, false)); }
void exact_quadratic(benchmark::State& state, int k, int f) { run_ot(state, random_quadratic(k, f, true)); }

BENCHMARK(garble_and)->Unit(benchmark::kMillisecond);
BENCHMARK(garble_and_socket)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(silent_cot)->Unit(benchmark::kMillisecond)->UseRealTime();

void register_relu(const std::string& name, void (*run)(benchmark::State&, int, int), int k, int f) {
  benchmark::RegisterBenchmark((name + "/" + std::to_string(k) + "/" + std::to_string(f)).c_str(),
                               [run, k, f](benchmark::State& state) { run(state, k, f); })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime()
      ->Iterations(4);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& [k, f] : {std::pair{18, 8}, {20, 8}, {37, 0}}) {
    register_relu("relu/gc", relu_gc, k, f);
    register_relu("relu/ot", relu_ot, k, f);
    if (f > 0) register_relu("relu/one-trip", relu_one_trip, k, f);  // 29 bits above the clamp are too many
  }
  for (const auto& [k, f] : {std::pair{20, 10}, {22, 11}, {29, 11}}) {
    register_relu("quadratic/beaver", quadratic, k, f);
    register_relu("quadratic/beaver-exact", exact_quadratic, k, f);
  }
  for (const auto& [k, f] : {std::pair{18, 6}, {20, 8}, {22, 10}}) {
    register_relu("curve/ot", curve, k, f);
    register_relu("sigmoid/ot", sigmoid, k, f);
  }
  for (const auto& [k, f] : {std::pair{17, 7}, {19, 8}}) register_relu("product/ot", product, k, f);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
