#include "protocol/hybrid/local_nodes.h"

#include <algorithm>

#include "base/error.h"
#include "nn/ir/window_visit.h"

namespace ap::protocol {
namespace {

Share add(const nn::QAdd& op, std::span<const ShareView> inputs, std::size_t size,
          const ShareModulus& modulus) {
  Share out(size, 0);
  for (std::size_t j = 0; j < inputs.size(); ++j) {
    const std::uint64_t factor = modulus.from_signed(op.multiplier[j]);
    for (std::size_t i = 0; i < size; ++i) {
      out[i] = modulus.add(out[i], modulus.multiply(factor, inputs[j][i]));
    }
  }
  return out;
}

Share sum_pool(const nn::QSumPool& op, ShareView in, const nn::Shape& from, const nn::Shape& to) {
  // At most one window's elements below 2^40 each: no sum wraps before it is reduced.
  Share out(static_cast<std::size_t>(to.size()), 0);
  nn::for_each_in_window(op.window, from, to, [&](std::size_t o, std::size_t i) { out[o] += in[i]; });
  return out;
}

Share gather(const nn::QGather& op, ShareView in) {
  Share out(op.index.size());
  std::transform(op.index.begin(), op.index.end(), out.begin(), [&](std::int32_t from) {
    return from < 0 ? std::uint64_t{0} : in[static_cast<std::size_t>(from)];
  });
  return out;
}

}  // namespace

bool is_local(const nn::QOp& op) {
  return std::holds_alternative<nn::QAdd>(op) || std::holds_alternative<nn::QSumPool>(op) ||
         std::holds_alternative<nn::QConcat>(op) || std::holds_alternative<nn::QGather>(op);
}

Share apply_local(const nn::QNode& node, std::span<const ShareView> inputs,
                  std::span<const nn::Shape> input_shapes, const ShareModulus& modulus) {
  Share out;
  if (const auto* sum = std::get_if<nn::QAdd>(&node.op)) {
    out = add(*sum, inputs, static_cast<std::size_t>(node.shape.size()), modulus);
  } else if (const auto* pool = std::get_if<nn::QSumPool>(&node.op)) {
    out = sum_pool(*pool, inputs[0], input_shapes[0], node.shape);
  } else if (const auto* moved = std::get_if<nn::QGather>(&node.op)) {
    out = gather(*moved, inputs[0]);
  } else {
    AP_ASSERT(std::holds_alternative<nn::QConcat>(node.op));
    for (const ShareView& part : inputs) out.insert(out.end(), part.begin(), part.end());
  }
  AP_ASSERT(out.size() == static_cast<std::size_t>(node.shape.size()));
  for (std::uint64_t& v : out) v = modulus.reduce(v);
  return out;
}

}  // namespace ap::protocol
