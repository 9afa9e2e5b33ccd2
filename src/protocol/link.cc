#include "protocol/link.h"

#include <algorithm>

#include "base/error.h"
#include "cost/layer_cost.h"
#include "protocol/clock.h"
#include "protocol/messages.h"

namespace ap::protocol {
namespace {

constexpr int kEchoes = 3;
// A faster and shorter link than this makes nobody wait: no wire that inferences run over is, and how fast it
// seems depends on how busy the processors are.
constexpr double kNearBytesPerSecond = 150e6, kNearRoundTrip = 1e-3;

// Garbling sends ten times the bytes of transfers, and memory that it fills makes it slower in a whole
// inference than layer by layer. It must save a quarter of the time, which also keeps the choice the same in
// every run.
constexpr double kWorthTheBytes = 0.75;

double echo_seconds(net::Channel& channel, std::size_t bytes) {
  const Stopwatch watch;
  channel.send(kCommand, Bytes{static_cast<std::uint8_t>(Command::probe)});
  channel.send(kProbe, Bytes(bytes));
  channel.receive_exactly(kProbe, bytes);
  return watch.seconds();
}

}  // namespace

Link measure_link(net::Channel& channel) {
  Link link;
  link.round_trip_s = echo_seconds(channel, 1);
  for (int i = 1; i < kEchoes; ++i) link.round_trip_s = std::min(link.round_trip_s, echo_seconds(channel, 1));
  // Where it costs nothing, the best of several: a busy machine shall not pass for a slow link.
  for (int i = 0; i == 0 || (i < kEchoes && link.bytes_per_second > kNearBytesPerSecond / 8); ++i) {
    const double seconds = echo_seconds(channel, kProbeBytes) - link.round_trip_s;
    link.bytes_per_second =
        std::max(link.bytes_per_second, 2 * static_cast<double>(kProbeBytes) / std::max(seconds, 1e-5));
  }
  return link;
}

void answer_probe(net::Channel& channel) { channel.send(kProbe, channel.receive(kProbe, 1, kProbeBytes)); }

namespace {

/// Left open by the plan, and not decided by shares modulo a prime, which garbling alone can read.
bool is_open(const Model& model, std::size_t activation) {
  const ActivationLayer& layer = model.activations()[activation];
  return layer.engine == "auto" && layer.spec.in_prime == 0 && layer.spec.out_prime == 0;
}

}  // namespace

bool wants_link(const Model& model) {
  for (std::size_t i = 0; i < model.activations().size(); ++i) {
    if (is_open(model, i)) return true;
  }
  return false;
}

cost::Setting setting_of(const Link& link, const cost::Profile& profile) {
  if (link.bytes_per_second > kNearBytesPerSecond && link.round_trip_s < kNearRoundTrip) {
    return cost::Setting::local(profile.cores, profile.network.round_trip);
  }
  return {profile.cores, false, link.bytes_per_second, link.round_trip_s};
}

std::vector<Engine> choose_engines(const Model& model, const Link& link, const cost::Profile& profile) {
  std::vector<Engine> engines;
  const cost::Setting setting = setting_of(link, profile);
  const auto seconds = [&](cost::Engine engine, const ActivationLayer& layer) {
    return cost::activation_seconds(engine, layer.spec, profile, setting, layer.ot_plan.get());
  };
  for (std::size_t i = 0; i < model.activations().size(); ++i) {
    const ActivationLayer& layer = model.activations()[i];
    const std::string& wanted = layer.engine;
    if (is_open(model, i)) {
      const bool transfers =
          kWorthTheBytes * seconds(cost::Engine::ot, layer) < seconds(cost::Engine::gc, layer);
      engines.push_back(transfers ? Engine::ot : Engine::gc);
    } else {
      engines.push_back(wanted == "beaver" ? Engine::beaver : wanted == "ot" ? Engine::ot : Engine::gc);
    }
  }
  return engines;
}

}  // namespace ap::protocol
