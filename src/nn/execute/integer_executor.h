// Runs the integer network in the clear, bit for bit as its definition says: the reference that the private
// result must equal, and the work horse of accuracy simulations. Values are 32-bit; validate() and the ranges
// guarantee that nothing overflows unless a hook pushes values out of their range, in which case sums wrap
// modulo 2^32.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "nn/ir/quantised_network.h"

namespace ap::nn {

class LinearKernel;

/// Where error studies cut in. Both run on the thread that evaluates the image.
struct IntegerHooks {
  /// Called after node `node` has been computed; may change its values.
  std::function<void(int node, std::span<std::int32_t> values)> after_node;
  /// Called before an Activation, Quadratic, Table or Product node with shift > 0 and input (or product) x: `offset` holds one 2^(shift-1)
  /// per element of x, and the node will compute t = floor((x + offset) / 2^shift) with whatever the hook
  /// leaves there. Uniform offsets in [0, 2^shift) are what local truncation of two shares does.
  std::function<void(int node, std::span<const std::int32_t> x, std::span<std::int32_t> offset)> rounding;
  /// Called before the second shift of a Quadratic node with post_shift > 0, with `offset` as in `rounding`.
  std::function<void(int node, std::span<std::int64_t> offset)> result_rounding;
};

/// Prepares a network once and evaluates any number of images, from any number of threads.
class IntegerExecutor {
 public:
  /// `network` must be valid, carry its weights and outlive the executor.
  explicit IntegerExecutor(const QuantisedNetwork& network);
  ~IntegerExecutor();
  IntegerExecutor(IntegerExecutor&&) noexcept;
  IntegerExecutor& operator=(IntegerExecutor&&) noexcept;

  /// The values of every node. `input` has input_shape().size() elements.
  std::vector<std::vector<std::int32_t>> run(std::span<const std::int32_t> input,
                                             const IntegerHooks& hooks = {}) const;
  /// The values of the last node only; memory of a tensor is used again after its last use.
  std::vector<std::int32_t> logits(std::span<const std::int32_t> input, const IntegerHooks& hooks = {}) const;
  /// The values of one node from those of its inputs, in the order of node.inputs.
  std::vector<std::int32_t> evaluate(int node, std::span<const std::span<const std::int32_t>> inputs,
                                     const IntegerHooks& hooks = {}) const;

 private:
  void evaluate_into(int node, std::span<const std::span<const std::int32_t>> inputs,
                     const IntegerHooks& hooks, std::vector<std::int32_t>& out) const;
  template <typename Before, typename After>
  void evaluate_all(std::span<const std::int32_t> input, const IntegerHooks& hooks,
                    std::vector<std::vector<std::int32_t>>& values, Before before, After after) const;

  const QuantisedNetwork* network_;
  std::vector<std::unique_ptr<LinearKernel>> kernels_;  ///< one a node, null unless Linear
  std::vector<int> last_use_;
};

/// One-shot forms of IntegerExecutor::run and ::logits.
std::vector<std::vector<std::int32_t>> run_integer(const QuantisedNetwork& network,
                                                   std::span<const std::int32_t> input,
                                                   const IntegerHooks& hooks = {});
std::vector<std::int32_t> integer_logits(const QuantisedNetwork& network, std::span<const std::int32_t> input,
                                         const IntegerHooks& hooks = {});

/// The network's input from a normalised image: value / scale rounded half away from zero, clamped to the
/// input node's range. @throws Error(input) if the size is wrong or a value is not a number.
std::vector<std::int32_t> quantise_input(const QuantisedNetwork& network, std::span<const float> image);

/// How many values of a normalised image quantise_input cuts off at the ends of the input's range, by more than
/// rounding does. @throws as quantise_input.
std::size_t saturated_values(const QuantisedNetwork& network, std::span<const float> image);

}  // namespace ap::nn
