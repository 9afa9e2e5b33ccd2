#include "protocol/hybrid/link.h"

#include <algorithm>

#include "base/clock.h"
#include "base/error.h"
#include "protocol/hybrid/messages.h"

namespace ap::protocol {
namespace {

constexpr int kEchoes = 3;

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

bool is_open(const Model& model, std::size_t activation) {
  const ActivationLayer& layer = model.activations()[activation];
  return layer.protocol == "auto" && layer.spec.in_prime == 0 && layer.spec.out_prime == 0;
}

bool wants_link(const Model& model) {
  for (std::size_t i = 0; i < model.activations().size(); ++i) {
    if (is_open(model, i)) return true;
  }
  return false;
}

std::vector<ActivationProtocol> named_protocols(const Model& model, ActivationProtocol open) {
  std::vector<ActivationProtocol> protocols;
  for (std::size_t i = 0; i < model.activations().size(); ++i) {
    const std::string& wanted = model.activations()[i].protocol;
    protocols.push_back(is_open(model, i)      ? open
                        : wanted == "beaver"   ? ActivationProtocol::beaver
                        : wanted == "one-trip" ? ActivationProtocol::one_trip
                        : wanted == "ot"       ? ActivationProtocol::ot
                                               : ActivationProtocol::gc);
  }
  return protocols;
}

}  // namespace ap::protocol
