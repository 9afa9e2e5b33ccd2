#include "protocol/hybrid/memory.h"

#include <algorithm>

#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/ot/ot_plan.h"
#include "layers/linear/plaintext/clear_conv.h"
#include "mpc/ot/silent_cot.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/he_keys.h"

namespace ap::protocol {
namespace {

/// Both directions' streams: secrets of this iteration and the next, and a message of trees.
std::uint64_t stream_bytes(const mpc::LpnParameters& set) {
  return 2 * sizeof(mpc::Block) * (2 * set.seeds() + mpc::kTreesPerMessage * set.bin());
}

/// Uploads and replies as bytes, and the uploads as polynomials; both parties have them, one after the other.
std::uint64_t ciphertext_bytes(const linear::PackedLayer& layer) {
  const linear::LayerRing ring = layer.ring();
  const std::uint64_t each = 2 * std::uint64_t{ring.n} * ring.primes.size() * sizeof(std::uint64_t);
  return layer.upload_bytes() + layer.reply_bytes() +
         static_cast<std::uint64_t>(layer.counts().uploads) * each;
}

}  // namespace

MemoryNeeds memory_needs(const Model& model) {
  MemoryNeeds needs;
  needs.keys = key_bytes(model.groups());
  for (const LinearLayer& layer : model.linears()) {
    const linear::PackedLayer& packed = layer.he->packed();
    needs.weights += layer.he->prepared_bytes() + linear::ClearConv::memory_bytes(packed.geometry());
    needs.weights +=
        static_cast<std::uint64_t>(model.node(layer.node).shape.c) * sizeof(std::int64_t);  // biases
    needs.layer = std::max(needs.layer, ciphertext_bytes(packed));
    const std::uint64_t shares = model.size(layer.node) * sizeof(std::uint64_t);
    needs.server_inference += shares;
    needs.client_inference += shares;
  }
  std::uint64_t from_client = 0, from_server = 0;
  for (const ActivationLayer& layer : model.activations()) {
    needs.server_inference += preprocessing_bytes(layer);
    std::uint64_t kept = 0;
    if (layer.ot_plan) {
      const activation::OtCost cost = activation::ot_cost(*layer.ot_plan);
      kept = cost.client_preprocessing;
      from_client += cost.client_cots;
      from_server += cost.server_cots;
    }
    if (layer.one_trip_plan) {
      const activation::OtCost cost = activation::one_trip_cost(*layer.one_trip_plan);
      kept = std::max(kept, cost.client_preprocessing);
      from_client += cost.client_cots;
      from_server += cost.server_cots;
    }
    // A label for each bit of the input.
    if (layer.protocol == "gc" || layer.protocol == "auto")
      kept = std::max(
          kept, layer.spec.inputs * static_cast<std::uint64_t>(layer.spec.share_bits()) * sizeof(mpc::Block));
    needs.client_inference += kept;
  }
  if (from_client + from_server > 0) needs.transfers = stream_bytes(mpc::kSmallLpn);
  if (std::max(from_client, from_server) > mpc::kLargeLpnFrom)
    needs.transfers += stream_bytes(mpc::kLargeLpn);
  return needs;
}

}  // namespace ap::protocol
