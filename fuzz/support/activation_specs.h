// Layers that the targets of activations run.
#pragma once

#include "layers/activation/activation_spec.h"

namespace ap::fuzz {

using activation::ActivationSpec;

inline ActivationSpec relu(std::size_t elements) {
  ActivationSpec spec;
  spec.inputs = spec.outputs = elements;
  spec.sum_bits = 10;
  spec.guard_bits = 2;
  spec.clamp_bits = 6;
  spec.out_bits = 14;
  return spec;
}

inline ActivationSpec pooled() {
  ActivationSpec spec = relu(8);
  spec.outputs = 2;
  spec.pool_size = 4;
  spec.windows = {0, 1, 4, 5, 2, 3, 6, 7};
  return spec;
}

inline ActivationSpec table() {
  ActivationSpec spec = relu(5);
  spec.table = activation::TableSpec{true, true, 2, 3, {0, 1, 2, 3, 4, 5, 6, 7}};
  return spec;
}

inline ActivationSpec product() {
  ActivationSpec spec = relu(6);
  spec.product = activation::ProductSpec{12, 0, 3, 3};
  return spec;
}

inline ActivationSpec prime() {
  ActivationSpec spec = relu(5);
  spec.in_prime = 12289;
  spec.sum_bits = 12;
  spec.guard_bits = 2;
  return spec;
}

inline std::vector<std::uint64_t> words(std::size_t count) {
  std::vector<std::uint64_t> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = i * 37 % 1000;
  return values;
}

}  // namespace ap::fuzz
