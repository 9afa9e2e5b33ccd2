// The link between the parties, as the client measures it, and the protocols that a plan leaves open.
#pragma once

#include <functional>
#include <vector>

#include "net/channel/channel.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/model.h"

namespace ap::protocol {

struct Link {
  double round_trip_s = 0;
  double bytes_per_second = 0;
};

/// The client's side: a few echoes of a byte, then one of kProbeBytes.
Link measure_link(net::Channel& channel);
/// The server's side of one echo. @throws Error(peer) if more than kProbeBytes are to be echoed.
void answer_probe(net::Channel& channel);

/// A faster and shorter link than this makes nobody wait: no wire that inferences run over is, and how fast it
/// seems depends on how busy the processors are.
inline constexpr double kNearBytesPerSecond = 150e6, kNearRoundTrip = 1e-3;

inline constexpr std::size_t kProbeBytes = std::size_t{1} << 19;

/// Whether the plan leaves the protocol of an activation open ("auto"), and nothing else decides it: shares modulo
/// a prime can be read by garbling alone.
bool is_open(const Model& model, std::size_t activation);
/// Whether any activation's protocol is open.
bool wants_link(const Model& model);
/// The protocol of each activation, as the plan names it; of those that it leaves open, `open`.
std::vector<ActivationProtocol> named_protocols(const Model& model,
                                                ActivationProtocol open = ActivationProtocol::ot);

/// Decides, for a measured link, on the protocol of every activation.
using ProtocolChooser = std::function<std::vector<ActivationProtocol>(const Model&, const Link&)>;

}  // namespace ap::protocol
