// From logits to labels and accuracy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "base/error.h"

namespace ap::nn {

/// The label that outputs stand for: the position of the largest, the first of equals. Of a single one: 1 if it is above 0,
/// else 0 (nn/data/labels.h). `values` must not be empty.
template <typename T>
int argmax(std::span<const T> values) {
  AP_ASSERT(!values.empty());
  if (values.size() == 1) return values[0] > T{0} ? 1 : 0;
  std::size_t best = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] > values[best]) best = i;
  }
  return static_cast<int>(best);
}

/// The predicted label of every row of `logits` (rows of `classes` values).
template <typename T>
std::vector<int> predictions(std::span<const T> logits, std::size_t classes) {
  AP_ASSERT(classes > 0 && logits.size() % classes == 0);
  std::vector<int> out;
  out.reserve(logits.size() / classes);
  for (std::size_t i = 0; i < logits.size(); i += classes) out.push_back(argmax(logits.subspan(i, classes)));
  return out;
}

/// The fraction (0 to 1) of predictions that equal their label.
/// @throws Error(input) if there are no labels or their number differs.
double top1(std::span<const int> predicted, std::span<const int> labels);

/// The positions of the k largest values, largest first; equals in order of position.
template <typename T>
std::vector<std::size_t> top_k(std::span<const T> values, std::size_t k) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  order.resize(std::min(k, order.size()));
  return order;
}

}  // namespace ap::nn
