#include "nn/data/accuracy.h"

#include <algorithm>
#include <numeric>

namespace ap::nn {

double top1(std::span<const int> predicted, std::span<const int> labels) {
  if (labels.empty() || predicted.size() != labels.size()) {
    fail_input("accuracy needs one label an image: there are {} images and {} labels", predicted.size(),
               labels.size());
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

std::vector<int> top_k(std::span<const float> values, std::size_t k) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(k, values.size()));
  std::partial_sort(order.begin(), end, order.end(), [&](int a, int b) {
    const float x = values[static_cast<std::size_t>(a)], y = values[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  order.erase(end, order.end());
  return order;
}

}  // namespace ap::nn
