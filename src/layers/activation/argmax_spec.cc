#include "layers/activation/argmax_spec.h"

#include "base/error.h"

namespace ap::activation {

ActivationSpec argmax_spec(std::size_t count, int bits, std::uint64_t prime) {
  if (count < 2 || count > kMaxArgmaxInputs) {
    fail_input("the best of {} classes cannot be revealed alone; allowed are 2 to {} classes", count,
               kMaxArgmaxInputs);
  }
  ActivationSpec spec;
  spec.argmax = true;
  spec.inputs = count;
  spec.outputs = 1;
  spec.sum_bits = bits;
  spec.out_bits = argmax_index_bits(count);
  spec.clamp_bits = spec.out_bits;
  spec.in_prime = prime;
  spec.validate();
  return spec;
}

}  // namespace ap::activation
