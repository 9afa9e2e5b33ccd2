#include "layers/linear/simd/fc.h"

#include <algorithm>
#include <bit>
#include <set>

#include "base/error.h"
#include "he/bfv/batch_scheme.h"
#include "he/rlwe/context.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/key_switch.h"
#include "ring/modulus.h"

namespace ap::linear {

SimdFc::SimdFc(int n_in, int n_out, SimdFcMethod method, std::uint32_t n)
    : n_in_(n_in), n_out_(n_out), method_(method), row_(n / 2) {
  if (n_in < 1 || n_out < 1) fail_input("a matrix of {} x {} has no entries", n_out, n_in);
  AP_ASSERT(std::has_single_bit(n));
  in_ = std::bit_ceil(static_cast<std::size_t>(n_in));
  out_ = std::bit_ceil(static_cast<std::size_t>(n_out));
  if (out_ > row_ || (diagonal() && in_ > row_)) {
    fail_input("a matrix of {} x {} does not fit the {} slots in a row of a batch", n_out, n_in, row_);
  }
  if (diagonal()) {
    in_ = out_ = std::max(in_, out_);
    products_ = in_;
  } else {
    in_ = std::max(in_, out_);
    if (in_ > n) {
      blocks_ = in_ / n;
      in_ = n;
    }
    // At least one product, and still n_o <= n_i.
    while (in_ * in_ < n) in_ *= 2;
    out_ = std::max(out_, n / in_);
    products_ = in_ * out_ / n;
    blocks_ = std::min(blocks_, (static_cast<std::size_t>(n_in) + n - 1) / n);
  }
  const bool steps = method == SimdFcMethod::diagonal_baby_giant || method == SimdFcMethod::hybrid_baby_giant;
  // Hoisted baby steps are the cheaper ones: the larger half of the bits.
  baby_ = steps ? std::size_t{1} << ((std::countr_zero(products_) + 1) / 2) : products_;
}

SimdCounts SimdFc::counts() const {
  const auto log2_tail = diagonal() ? 0 : std::countr_zero(2 * row_ / out_);
  return {static_cast<std::int64_t>(blocks_), 1, static_cast<std::int64_t>(blocks_ * products_),
          static_cast<std::int64_t>(blocks_ * (baby_ - 1)),
          static_cast<std::int64_t>(products_ / baby_) - 1 + log2_tail};
}

SimdTerms SimdFc::terms() const {
  SimdTerms t;
  t.products = static_cast<std::int64_t>(blocks_ * products_);
  t.switched = static_cast<std::int64_t>(blocks_ * (products_ - products_ / baby_));
  t.rotated = static_cast<std::int64_t>(products_ / baby_) - 1;
  t.rows = !diagonal();
  t.doublings = diagonal() ? 0 : std::countr_zero(row_ / out_);
  return t;
}

std::vector<std::uint32_t> SimdFc::elements(const bfv::BatchContext& context) const {
  AP_ASSERT(context.n() == 2 * row_);
  std::set<std::uint32_t> elements;
  const auto rotation = [&](std::size_t step) {
    elements.insert(bfv::rotation_element(context, static_cast<int>(step)));
  };
  for (std::size_t k = 0; k < baby_; ++k) rotation(k);
  for (std::size_t k = 0; k < products_; k += baby_) rotation(k);
  if (!diagonal()) {
    for (std::size_t step = out_; step < row_; step *= 2) rotation(step);
    elements.insert(bfv::swap_element(context));
  }
  elements.erase(1);
  return {elements.begin(), elements.end()};
}

std::size_t SimdFc::held(std::size_t row, std::size_t column) const {
  if (diagonal()) return column % in_;
  const std::size_t slot = row * row_ + column;
  return (slot % in_ + slot / in_ * products_) % in_;
}

void SimdFc::encode_input(std::size_t upload, std::span<const std::uint64_t> vector,
                          std::span<std::uint64_t> slots) const {
  AP_ASSERT(upload < blocks_ && vector.size() == static_cast<std::size_t>(n_in_) && slots.size() == 2 * row_);
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    const std::size_t at = upload * in_ + held(slot / row_, slot % row_);
    slots[slot] = at < vector.size() ? vector[at] : 0;
  }
}

void SimdFc::encode_weights(std::size_t index, std::span<const std::int16_t> weights, std::uint64_t p,
                            std::span<std::uint64_t> slots) const {
  AP_ASSERT(index < weight_plaintexts() && slots.size() == 2 * row_ &&
            weights.size() == static_cast<std::size_t>(n_in_) * static_cast<std::size_t>(n_out_));
  const ring::Modulus modulus(p);
  const std::size_t block = index / products_, k = index % products_, giant = k / baby_ * baby_;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    const std::size_t row = slot / row_, column = slot % row_;
    const std::size_t output = column % out_, input = block * in_ + held(row, (column + k) % row_);
    // The giant step comes after the product: the weights wait that far to the right.
    std::uint64_t& to = slots[row * row_ + (column + giant) % row_];
    to = 0;
    if (output >= static_cast<std::size_t>(n_out_) || input >= static_cast<std::size_t>(n_in_)) continue;
    to = modulus.reduce_signed(weights[output * static_cast<std::size_t>(n_in_) + input]);
  }
}

rlwe::Ciphertext SimdFc::evaluate(std::span<const rlwe::Ciphertext> inputs,
                                  std::span<const rlwe::Plaintext> weights, const rlwe::GaloisKeys& keys,
                                  SimdCounts* performed) const {
  AP_ASSERT(inputs.size() == blocks_ && weights.size() == weight_plaintexts());
  const rlwe::ContextPtr& context = inputs[0].context();
  SimdCounts done{static_cast<std::int64_t>(blocks_), 1, 0, 0, 0};
  std::vector<rlwe::Ciphertext> rotated;
  for (const rlwe::Ciphertext& x : inputs) {
    rotated.push_back(x);
    if (baby_ == 1) continue;
    const rlwe::Decomposition c1 = rlwe::decompose(x);
    for (std::size_t k = 1; k < baby_; ++k, ++done.hoisted_rotations) {
      const std::uint32_t element = bfv::rotation_element(*context, static_cast<int>(k));
      rotated.push_back(rlwe::apply_automorphism(x, c1, element, keys));
    }
  }
  rlwe::Ciphertext total(context, inputs[0].level());
  for (std::size_t giant = 0; giant < products_; giant += baby_) {
    std::vector<const rlwe::Ciphertext*> x;
    std::vector<const rlwe::Plaintext*> w;
    for (std::size_t block = 0; block < blocks_; ++block) {
      for (std::size_t k = 0; k < baby_; ++k) {
        x.push_back(&rotated[block * baby_ + k]);
        w.push_back(&weights[block * products_ + giant + k]);
      }
    }
    rlwe::Ciphertext sum(context, total.level());
    rlwe::multiply_plain_add(x, w, sum);
    done.products += static_cast<std::int64_t>(x.size());
    if (giant > 0) {
      sum = bfv::rotate_rows(sum, static_cast<int>(giant), keys);
      ++done.plain_rotations;
    }
    rlwe::add(total, sum);
  }
  if (!diagonal()) {
    for (std::size_t step = out_; step < row_; step *= 2, ++done.plain_rotations) {
      rlwe::add(total, bfv::rotate_rows(total, static_cast<int>(step), keys));
    }
    rlwe::add(total, bfv::swap_rows(total, keys));
    ++done.plain_rotations;
  }
  if (performed != nullptr) *performed = done;
  return total;
}

}  // namespace ap::linear
