#include "analysis/approximation/offsets.h"

#include <algorithm>

#include "analysis/approximation/clear_network.h"
#include "base/error.h"
#include "base/parallel.h"

namespace ap::approximation {
namespace {

// Mean of every channel of node i over the images.
std::vector<double> channel_means(const std::vector<ClearNetwork::Memory>& images, std::size_t i,
                                  std::size_t channels) {
  std::vector<double> sums(channels);
  std::size_t plane = 1;
  for (const ClearNetwork::Memory& memory : images) {
    const std::vector<float>& values = memory.values[i];
    plane = values.size() / channels;
    for (std::size_t k = 0; k < values.size(); ++k) sums[k / plane] += double{values[k]};
  }
  for (double& sum : sums) sum /= static_cast<double>(plane * images.size());
  return sums;
}

}  // namespace

void set_offsets(const nn::Graph& graph, std::vector<plan::ApproximateActivation>& activations,
                 std::span<const float> images) {
  for (plan::ApproximateActivation& a : activations) a.offset.clear();
  const ClearNetwork exact(graph), approximate(graph, activations);
  const auto in = static_cast<std::size_t>(graph.input_shape().size());
  if (images.empty() || images.size() % in != 0) {
    fail_input("network {} takes images of {} values; {} values are not whole images", graph.name, in,
               images.size());
  }
  const std::size_t count = images.size() / in, nodes = graph.nodes.size();
  std::vector<std::size_t> last(nodes, nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    for (const int input : graph.nodes[i].inputs) last[static_cast<std::size_t>(input)] = i;
  }
  std::vector<ClearNetwork::Memory> theirs(count), ours(count);
  for (std::size_t n = 0; n < count; ++n) {
    const auto image = images.subspan(n * in, in);
    for (ClearNetwork::Memory* memory : {&theirs[n], &ours[n]}) {
      memory->values.resize(nodes);
      memory->values[0].assign(image.begin(), image.end());
    }
  }
  std::size_t next = 0;
  for (std::size_t i = 1; i < nodes; ++i) {
    parallel_for(count, [&](std::size_t n) {
      exact.step(n, i, theirs[n]);
      approximate.step(n, i, ours[n]);
      for (ClearNetwork::Memory* memory : {&theirs[n], &ours[n]}) {
        memory->patches = {};
        for (const int input : graph.nodes[i].inputs) {
          if (last[static_cast<std::size_t>(input)] == i)
            memory->values[static_cast<std::size_t>(input)] = {};
        }
      }
    });
    if (next == activations.size() || activations[next].node != static_cast<int>(i)) continue;
    plan::ApproximateActivation& a = activations[next++];
    const auto channels = static_cast<std::size_t>(graph.nodes[i].shape.c);
    const std::vector<double> wanted = channel_means(theirs, i, channels),
                              got = channel_means(ours, i, channels);
    for (std::size_t c = 0; c < channels; ++c) a.offset.push_back(static_cast<float>(wanted[c] - got[c]));
    parallel_for(count, [&](std::size_t n) {
      std::vector<float>& values = ours[n].values[i];
      const std::size_t plane = values.size() / channels;
      for (std::size_t k = 0; k < values.size(); ++k) values[k] += a.offset[k / plane];
    });
  }
}

}  // namespace ap::approximation
