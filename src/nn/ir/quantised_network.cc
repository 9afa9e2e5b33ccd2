#include "nn/ir/quantised_network.h"

#include <array>
#include <utility>

namespace ap::nn {

const char* op_name(const QOp& op) {
  static constexpr std::array<const char*, std::variant_size_v<QOp>> kNames = {
      "input", "linear", "add", "sum_pool", "concat", "gather", "activation", "quadratic"};
  return kNames[op.index()];
}

QuantisedNetwork strip_weights(QuantisedNetwork network) {
  for (QNode& node : network.nodes) {
    if (auto* linear = std::get_if<QLinear>(&node.op)) {
      // Fresh vectors, not clear(): the capacity would keep the weights in memory.
      linear->weights = std::vector<std::int16_t>();
      linear->bias = std::vector<std::int64_t>();
    }
  }
  return network;
}

}  // namespace ap::nn
