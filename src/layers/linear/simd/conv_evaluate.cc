// The server's work for one convolution packed for SIMD.
#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "he/bfv/batch_scheme.h"
#include "he/rlwe/context.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/key_switch.h"
#include "layers/linear/simd/conv.h"

namespace ap::linear {

// For each input group the ciphertexts that products are taken of: by tap, or by (swap, shift, tap), absent
// where no product needs them.
std::vector<SimdConv::Rotated> SimdConv::rotated_inputs(std::span<const rlwe::Ciphertext> uploads,
                                                        const rlwe::GaloisKeys& keys,
                                                        SimdCounts& done) const {
  const bool all = method_ == SimdConvMethod::input_rotation;
  const std::size_t half = channels_ / 2;
  std::vector<Rotated> rotated(groups_in_, Rotated((all ? channels_ : 1) * taps()));
  std::vector<SimdCounts> counts(groups_in_);
  parallel_for(groups_in_, [&](std::size_t in) {
    for (std::size_t swap = 0; swap < (all ? 2U : 1U); ++swap) {
      std::vector<std::size_t> shifts;
      for (std::size_t shift = 0; shift < (all ? half : 1); ++shift) {
        if (!all || rotates_input(in, swap, shift)) shifts.push_back(shift);
      }
      if (shifts.empty()) continue;
      if (swap == 1) ++counts[in].hoisted_rotations;
      const rlwe::Ciphertext x = swap == 0 ? uploads[in] : bfv::swap_rows(uploads[in], keys);
      const rlwe::Decomposition c1 = rlwe::decompose(x);
      for (const std::size_t shift : shifts) {
        for (std::size_t tap = 0; tap < taps(); ++tap) {
          const int step = static_cast<int>(shift * span_) + slot_offset(taps_[tap]);
          const std::uint32_t element = bfv::rotation_element(*x.context(), step);
          if (element != 1) ++counts[in].hoisted_rotations;
          rotated[in][(swap * half + shift) * taps() + tap] = rlwe::apply_automorphism(x, c1, element, keys);
        }
      }
    }
  });
  for (const SimdCounts& count : counts) done.hoisted_rotations += count.hoisted_rotations;
  return rotated;
}

std::vector<rlwe::Ciphertext> SimdConv::evaluate(std::span<const rlwe::Ciphertext> inputs,
                                                 std::span<const rlwe::Plaintext> weights,
                                                 const rlwe::GaloisKeys& keys, SimdCounts* performed) const {
  AP_ASSERT(inputs.size() == uploads() && weights.size() == weight_plaintexts());
  const rlwe::ContextPtr& context = inputs[0].context();
  const std::size_t level = inputs[0].level(), half = channels_ / 2;
  SimdCounts done{static_cast<std::int64_t>(inputs.size()), static_cast<std::int64_t>(groups_out_), 0, 0, 0};
  const std::vector<Rotated> rotated = copies() ? std::vector<Rotated>{} : rotated_inputs(inputs, keys, done);
  const bool by_input = method_ == SimdConvMethod::input_rotation;
  // The products of some input groups with one diagonal of the weights.
  const auto diagonal = [&](std::size_t out, std::size_t swap, std::size_t shift, std::size_t first,
                            std::size_t last, rlwe::Ciphertext& sum) {
    std::vector<const rlwe::Ciphertext*> x;
    std::vector<const rlwe::Plaintext*> w;
    for (std::size_t in = first; in < last; ++in) {
      const std::uint32_t weight = first_weight_[diagonal_index(out, swap, shift, in)];
      if (weight == kUnused) continue;
      for (std::size_t tap = 0; tap < taps(); ++tap) {
        x.push_back(copies() ? &inputs[in * taps() + tap]
                             : &*rotated[in][by_input ? (swap * half + shift) * taps() + tap : tap]);
        w.push_back(&weights[weight + tap]);
      }
    }
    rlwe::multiply_plain_add(x, w, sum);
    return static_cast<std::int64_t>(x.size());
  };
  // What is added up before one swap of the rows: half an output group, of some input groups.
  const std::size_t step = step_of_sum(), steps = groups_in_ / step;
  const std::size_t sums = groups_out_ * 2 * steps;
  // One task is a run of shifts of such a sum; as many runs as keep all threads busy.
  const std::size_t runs = std::clamp<std::size_t>(4 * thread_count() / sums, 1, half);
  std::vector<SimdCounts> counts(sums * runs);
  std::vector<rlwe::Ciphertext> parts(sums * runs, rlwe::Ciphertext(context, level));
  parallel_for(parts.size(), [&](std::size_t task) {
    const std::size_t run = task % runs, first = task / runs % steps * step;
    const std::size_t swap = task / runs / steps % 2, out = task / runs / steps / 2;
    SimdCounts& count = counts[task];
    rlwe::Ciphertext& sum = parts[task];
    for (std::size_t shift = half * run / runs; shift < half * (run + 1) / runs; ++shift) {
      if (!uses(out, swap, shift, first, first + step)) continue;
      if (by_input) {
        count.products += diagonal(out, swap, shift, first, first + step, sum);
        continue;
      }
      rlwe::Ciphertext part(context, level);
      count.products += diagonal(out, swap, shift, first, first + step, part);
      if (shift > 0) {
        part = bfv::rotate_rows(part, static_cast<int>(shift * span_), keys);
        ++count.plain_rotations;
      }
      rlwe::add(sum, part);
    }
  });
  parallel_for(sums, [&](std::size_t i) {
    rlwe::Ciphertext& sum = parts[i * runs];
    for (std::size_t run = 1; run < runs; ++run) rlwe::add(sum, parts[i * runs + run]);
    bool swapped = false;
    for (std::size_t shift = 0; shift < half && i / steps % 2 == 1 && !by_input; ++shift) {
      swapped = swapped || uses(i / steps / 2, 1, shift, i % steps * step, (i % steps + 1) * step);
    }
    if (swapped) {
      sum = bfv::swap_rows(sum, keys);
      ++counts[i * runs].plain_rotations;
    }
  });
  std::vector<rlwe::Ciphertext> replies;
  for (std::size_t out = 0; out < groups_out_; ++out) {
    rlwe::Ciphertext& reply = parts[out * 2 * steps * runs];
    for (std::size_t i = 1; i < 2 * steps; ++i) rlwe::add(reply, parts[(out * 2 * steps + i) * runs]);
    replies.push_back(std::move(reply));
  }
  for (const SimdCounts& count : counts) {
    done.products += count.products;
    done.plain_rotations += count.plain_rotations;
  }
  if (performed != nullptr) *performed = done;
  return replies;
}

}  // namespace ap::linear
