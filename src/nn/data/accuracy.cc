#include "nn/data/accuracy.h"

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

}  // namespace ap::nn
