// How a layer is cut into circuits, batches and messages; both parties derive the same plan from the spec.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/memory.h"
#include "layers/activation/activation_spec.h"
#include "mpc/core/block.h"
#include "mpc/garble/circuit.h"

namespace ap::activation {

/// A batch, its tables and its labels are sent as one message each of about this size.
inline constexpr std::size_t kMessageBytes = std::size_t{1} << 22;

/// Without pooling a single circuit (`first`) does everything for each element. With pooling `first` adds the
/// shares of each element once, whatever the number of windows it lies in, `max` folds a window's elements
/// one by one, and `last` clamps and masks the maximum. An argmax is one window without folds: `last` takes
/// all its elements.
struct LayerPlan {
  mpc::Circuit first;
  mpc::Circuit max;
  mpc::Circuit last;
  std::size_t first_batch = 0;   ///< elements of one batch
  std::size_t window_batch = 0;  ///< windows of one batch
  std::uint64_t tweaks = 0;      ///< hash tweaks of the layer

  /// Garbled bytes of a batch of `windows` windows, all folds and the clamp.
  std::size_t window_bytes(const ActivationSpec& spec, std::size_t windows) const;
};

/// Calls body(first index, count) for consecutive batches of `batch` out of `total`.
template <typename Body>
void for_batches(std::size_t total, std::size_t batch, const Body& body) {
  for (std::size_t at = 0; at < total; at += batch) body(at, std::min(batch, total - at));
}

/// `spec` must be valid.
LayerPlan plan_layer(const ActivationSpec& spec);

/// Copies the n labels of the elements at `position` of the windows first.. to `to`, `stride` blocks apart.
void gather_elements(const ActivationSpec& spec, std::span<const mpc::Block> labels, std::size_t first,
                     std::size_t position, std::size_t stride, std::span<mpc::Block> to);

/// The labels of the maxima of the windows first..first + count: n blocks each. `labels` are those of all
/// elements; run_max(pairs, maxima) garbles or evaluates `count` copies of the max circuit.
template <typename RunMax>
SecretVector<mpc::Block> fold_windows(const ActivationSpec& spec, std::span<const mpc::Block> labels,
                                      std::size_t first, std::size_t count, const RunMax& run_max) {
  if (spec.argmax) return SecretVector<mpc::Block>(labels.begin(), labels.end());
  const auto n = static_cast<std::size_t>(spec.sum_bits);
  SecretVector<mpc::Block> maxima(count * n);
  SecretVector<mpc::Block> pairs(count * 2 * n);
  gather_elements(spec, labels, first, 0, n, maxima);
  for (std::size_t position = 1; position < spec.pool_size; ++position) {
    for (std::size_t i = 0; i < count; ++i) std::copy_n(&maxima[i * n], n, &pairs[i * 2 * n]);
    gather_elements(spec, labels, first, position, 2 * n, std::span(pairs).subspan(n));
    run_max(std::span<const mpc::Block>(pairs), std::span<mpc::Block>(maxima));
  }
  return maxima;
}

}  // namespace ap::activation
