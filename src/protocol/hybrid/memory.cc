#include "protocol/hybrid/memory.h"

#include <algorithm>
#include <vector>

#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/one_trip/one_trip_plan.h"
#include "layers/activation/ot/ot_plan.h"
#include "layers/linear/plaintext/clear_conv.h"
#include "mpc/ot/silent_cot.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/he_keys.h"

namespace ap::protocol {
namespace {

constexpr std::uint64_t kWord = sizeof(std::uint64_t);
/// Of what a linear layer frees, the blocks of polynomials wait for the next one (take_pages): about a third, as measured.
constexpr std::uint64_t kPartOfLayerKept = 3;

/// Both directions' streams: secrets of this iteration and the next, and a message of trees.
std::uint64_t stream_bytes(const mpc::LpnParameters& set) {
  return 2 * sizeof(mpc::Block) * (2 * set.seeds() + mpc::kTreesPerMessage * set.bin());
}

/// A part's uploads and replies as bytes.
std::uint64_t part_bytes(const linear::PackedLayer& layer) {
  std::size_t most = 0;
  for (std::size_t part = 0; part < layer.parts(); ++part) {
    most = std::max(most, layer.part_upload_bytes(part) + layer.part_reply_bytes(part));
  }
  return most;
}

std::uint64_t table_bytes(const ActivationLayer& layer) {
  std::uint64_t bytes = layer.spec.windows.size() * sizeof(std::uint32_t);
  if (!layer.ot_plan) return bytes;
  for (const activation::PoolLevel& level : layer.ot_plan->levels) {
    bytes += level.pairs.size() * sizeof(level.pairs.front());
  }
  return bytes + layer.ot_plan->results.size() * sizeof(std::uint32_t);
}

/// Of each protocol by transfers that may run the activation.
std::vector<activation::OtCost> costs_of(const ActivationLayer& layer) {
  std::vector<activation::OtCost> costs;
  if (layer.ot_plan) costs.push_back(activation::ot_cost(*layer.ot_plan));
  if (layer.one_trip_plan) costs.push_back(activation::one_trip_cost(*layer.one_trip_plan));
  return costs;
}

/// The client's half of an activation, for whichever of its protocols takes more.
std::uint64_t client_preprocessing_bytes(const ActivationLayer& layer) {
  std::uint64_t kept = 0;
  for (const activation::OtCost& cost : costs_of(layer)) {
    std::uint64_t bytes = cost.client_preprocessing + layer.spec.outputs * kWord;
    if (!layer.spec.needs_words_offline()) bytes += layer.spec.inputs * kWord;
    kept = std::max(kept, bytes);
  }
  // A label for each bit of the input.
  if (layer.protocol != "gc" && layer.protocol != "auto") return kept;
  return std::max(
      kept, layer.spec.inputs * static_cast<std::uint64_t>(layer.spec.share_bits()) * sizeof(mpc::Block));
}

/// Words that either party holds while it runs an activation: what it brings, what it gets and messages of about as much,
/// and the values and differences of a tournament.
std::uint64_t running_bytes(const ActivationLayer& layer) {
  std::uint64_t words = 3 * layer.spec.inputs;
  if (layer.ot_plan) {
    for (const activation::PoolLevel& level : layer.ot_plan->levels) words += 2 * level.pairs.size();
  }
  return words * kWord;
}

/// The most shares that live at a time while the server computes, less what it has freed of its inference by then.
std::uint64_t most_tensors(const Model& model) {
  std::vector<std::int64_t> bytes(model.tensors());
  std::vector<int> reads(model.tensors(), 0);
  for (int node = 0; node < static_cast<int>(model.tensors()); ++node) {
    bytes[static_cast<std::size_t>(node)] = static_cast<std::int64_t>(model.size(node) * kWord);
    for (const int input : model.inputs(node)) ++reads[static_cast<std::size_t>(input)];
  }
  std::int64_t live = bytes[0], most = live;
  std::size_t linear = 0, activation = 0;
  for (int node = 1; node < static_cast<int>(model.tensors()); ++node) {
    std::int64_t freed = 0, working = 0;
    if (linear < model.linears().size() && model.linears()[linear].node == node) {
      // Input and output as words of 32 bits beside those of 64.
      working = (bytes[static_cast<std::size_t>(model.linears()[linear].input)] +
                 bytes[static_cast<std::size_t>(node)]) /
                2;
      freed = bytes[static_cast<std::size_t>(node)];
      ++linear;
    } else if (activation < model.activations().size() && model.activations()[activation].node == node) {
      const ActivationLayer& layer = model.activations()[activation];
      freed = static_cast<std::int64_t>(preprocessing_bytes(layer));
      working = static_cast<std::int64_t>(running_bytes(layer));
      ++activation;
    }
    live += bytes[static_cast<std::size_t>(node)];
    most = std::max(most, live + working);
    live -= freed;
    for (const int input : model.inputs(node)) {
      if (--reads[static_cast<std::size_t>(input)] == 0) live -= bytes[static_cast<std::size_t>(input)];
    }
  }
  return static_cast<std::uint64_t>(most);
}

}  // namespace

std::uint64_t MemoryNeeds::session(std::uint64_t prepared) const {
  // While the last one is prepared the earlier ones wait; online all do.
  const std::uint64_t last =
      std::max(server_shares + layer, server_inference + tensors + layer / kPartOfLayerKept);
  return keys + transfers + last + (prepared > 1 ? prepared - 1 : 0) * server_inference;
}

std::uint64_t MemoryNeeds::client() const {
  return keys + transfers +
         std::max(client_tensors + client_layer,
                  client_inference + client_running + client_layer / kPartOfLayerKept);
}

MemoryNeeds memory_needs(const Model& model) {
  MemoryNeeds needs;
  needs.keys = key_bytes(model.groups());
  for (const LinearLayer& layer : model.linears()) {
    const linear::PackedLayer& packed = layer.he->packed();
    const linear::Geometry& geometry = packed.geometry();
    const std::uint64_t outputs = model.size(layer.node);
    needs.weights += layer.he->prepared_bytes() + linear::ClearConv::memory_bytes(geometry);
    // In the network of the package and in ours, and the biases of the prepared layer.
    needs.weights += 2 * static_cast<std::uint64_t>(geometry.weight_count()) * sizeof(std::int16_t);
    needs.weights += 3 * static_cast<std::uint64_t>(model.node(layer.node).shape.c) * sizeof(std::int64_t);
    needs.model += outputs * sizeof(linear::OutputPosition) + packed.replies() * 2 * sizeof(std::size_t);
    const std::uint64_t messages = part_bytes(packed);
    const std::uint64_t waiting =
        std::min<std::uint64_t>(kUnderWay, packed.upload_bytes() + packed.reply_bytes());
    needs.layer = std::max(needs.layer, layer.he->working_bytes() + messages + waiting);
    needs.client_layer = std::max(
        needs.client_layer, messages + waiting + static_cast<std::uint64_t>(geometry.in.size()) * kWord);
    needs.server_shares += outputs * kWord;
  }
  needs.server_inference = needs.server_shares;
  for (int node = 0; node < static_cast<int>(model.tensors()); ++node) {
    needs.client_tensors += model.size(node) * kWord;
  }
  needs.client_inference = (model.size(0) + model.size(static_cast<int>(model.tensors()) - 1)) * kWord;
  std::uint64_t from_client = 0, from_server = 0;
  for (const ActivationLayer& layer : model.activations()) {
    needs.model += table_bytes(layer);
    needs.server_inference += preprocessing_bytes(layer);
    needs.client_inference += client_preprocessing_bytes(layer);
    needs.client_running = std::max(needs.client_running, running_bytes(layer));
    for (const activation::OtCost& cost : costs_of(layer)) {
      from_client += cost.client_cots;
      from_server += cost.server_cots;
    }
  }
  needs.tensors = most_tensors(model);
  if (from_client + from_server > 0) needs.transfers = stream_bytes(mpc::kSmallLpn);
  if (std::max(from_client, from_server) > mpc::kLargeLpnFrom)
    needs.transfers += stream_bytes(mpc::kLargeLpn);
  return needs;
}

}  // namespace ap::protocol
