#include "nn/ir/quantised_network.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace ap::nn {

const char* op_name(const QOp& op) {
  static constexpr std::array<const char*, std::variant_size_v<QOp>> kNames = {
      "input",  "linear",     "add",       "sum_pool", "concat",
      "gather", "activation", "quadratic", "table",    "product"};
  return kNames[op.index()];
}

int QTable::value_bits() const {
  return std::max(1, static_cast<int>(std::bit_width(*std::max_element(values.begin(), values.end()))));
}

std::int64_t QTable::at(std::int64_t u) const {
  const std::int64_t s = u + low;
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  const std::int64_t argument = even ? (s < 0 ? -s : s) & (half - 1) : u;
  return offset + (relu && s > 0 ? s : 0) + values[static_cast<std::size_t>(argument >> cell_bits)];
}

std::optional<Clamp> clamp_of(const QOp& op) {
  if (const auto* activation = std::get_if<QActivation>(&op))
    return Clamp{activation->shift, activation->low, activation->bits};
  if (const auto* table = std::get_if<QTable>(&op)) return Clamp{table->shift, table->low, table->bits};
  return std::nullopt;
}

bool is_activation(const QOp& op) {
  return std::holds_alternative<QActivation>(op) || std::holds_alternative<QQuadratic>(op) ||
         std::holds_alternative<QTable>(op) || std::holds_alternative<QProduct>(op);
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
