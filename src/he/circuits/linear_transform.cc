#include "he/circuits/linear_transform.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/parallel.h"

namespace ap::circuits {

/// The diagonals, each rotated back by its giant step, so that the giant step comes after the product.
class LinearTransform::EncodedDiagonals : public rlwe::Weights {
 public:
  EncodedDiagonals(const ckks::Encoder& encoder, const DiagonalMatrix& matrix, const StepPlan& plan,
                   const ckks::Scale& scale, const Levels& levels)
      : context_(encoder.context()),
        subring_(context_, matrix.size()),
        babies_(plan.baby.size()),
        level_(levels.level),
        kept_(levels.storage == DiagonalStorage::values),
        at_(plan.baby.size() * plan.giant.size(), kNone),
        coefficients_(matrix.diagonals().size()) {
    std::vector<const std::vector<Complex>*> diagonals;
    for (const auto& [number, values] : matrix.diagonals()) {
      const StepPlan::Place& place = plan.places[diagonals.size()];
      at_[place.giant * babies_ + place.baby] = diagonals.size();
      diagonals.push_back(&values);
    }
    if (kept_) values_.resize(diagonals.size());
    parallel_for(diagonals.size(), [&](std::size_t d) {
      std::vector<Complex> rotated = *diagonals[d];
      const std::size_t giant = plan.giant[plan.places[d].giant];
      std::rotate(rotated.begin(), rotated.end() - static_cast<std::ptrdiff_t>(giant), rotated.end());
      const ckks::Integers integers = encoder.coefficients(std::span<const Complex>(rotated), scale);
      coefficients_[d] = subring_.coefficients(integers);
      if (!kept_) return;
      const std::size_t length = subring_.coefficients();
      values_[d].resize((level_ + context_->special()) * length);
      for (std::size_t i = 0; i < level_ + context_->special(); ++i) {
        subring_.transform(coefficients_[d], i < level_ ? i : context_->data() + i - level_,
                           std::span(values_[d]).subspan(i * length, length));
      }
      coefficients_[d] = {};
    });
  }

  bool has(std::size_t sum, std::size_t term) const override { return at_[sum * babies_ + term] != kNone; }
  std::span<const std::uint64_t> values(std::size_t sum, std::size_t term, std::size_t prime,
                                        std::span<std::uint64_t> room) const override {
    const std::size_t d = at_[sum * babies_ + term], length = subring_.coefficients();
    if (!kept_) {
      const std::span<std::uint64_t> few = room.last(length);
      subring_.transform(coefficients_[d], prime, few);
      subring_.expand(few, room);
      return room;
    }
    const std::size_t i = prime < context_->data() ? prime : level_ + prime - context_->data();
    const auto few = std::span<const std::uint64_t>(values_[d]).subspan(i * length, length);
    if (length == context_->n()) return few;
    subring_.expand(few, room);
    return room;
  }
  std::size_t memory_bytes() const {
    std::size_t words = 0;
    for (const auto& one : coefficients_) words += one.size();
    for (const auto& one : values_) words += one.size();
    return words * sizeof(std::uint64_t);
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  rlwe::ContextPtr context_;
  Subring subring_;
  std::size_t babies_, level_;
  bool kept_;
  std::vector<std::size_t> at_;
  std::vector<std::vector<std::int64_t>> coefficients_;
  std::vector<AlignedVector<std::uint64_t>> values_;
};

namespace {

std::vector<std::size_t> numbers(const DiagonalMatrix& matrix) {
  if (matrix.diagonals().empty()) fail_input("a linear transform by zero: it has no diagonal");
  std::vector<std::size_t> result;
  for (const auto& [number, values] : matrix.diagonals()) result.push_back(number);
  return result;
}

}  // namespace

LinearTransform::LinearTransform(const ckks::Encoder& encoder, const DiagonalMatrix& matrix, Levels levels)
    : context_(encoder.context()), levels_(std::move(levels)) {
  const rlwe::Context& context = *context_;
  if (context.special() == 0)
    fail_input("a linear transform needs special primes, and these parameters have none");
  const std::size_t least = levels_.rescaling == Rescaling::last_prime ? 2 : 1;
  if (levels_.level < least || levels_.level > context.data()) {
    fail_input("a linear transform at level {} cannot be: its level is from {} to {}", levels_.level, least,
               context.data());
  }
  plan_ = plan_steps(numbers(matrix), matrix.size(), context.parameters(), levels_.level);
  const ckks::Scale scale = levels_.rescaling == Rescaling::last_prime
                                ? ckks::factor_scale(context, levels_.level, levels_.from, levels_.to)
                                : levels_.to / levels_.from;
  diagonals_ = std::make_shared<const EncodedDiagonals>(encoder, matrix, plan_, scale, levels_);
}

ckks::Ciphertext LinearTransform::apply(const ckks::Ciphertext& x, const rlwe::GaloisKeys& keys) const {
  AP_ASSERT(x.context() == context_);
  if (x.level() != levels_.level || !(x.scale() == levels_.from) || x.degree() != 1) {
    fail_input(
        "a linear transform made for level {} and scale {} cannot take a ciphertext of level {}, scale {} and degree {}",
        levels_.level, levels_.from.text(), x.level(), x.scale().text(), x.degree());
  }
  std::vector<std::uint32_t> elements;
  for (const std::size_t step : plan_.baby) {
    elements.push_back(ckks::rotation_element(*context_, static_cast<std::int64_t>(step)));
  }
  std::vector<rlwe::Extended> sums =
      rlwe::hoisted_sums(x.polynomials(), elements, keys, plan_.giant.size(), *diagonals_);
  rlwe::Extended total = std::move(sums[0]);
  if (plan_.giant[0] != 0) {
    const rlwe::Extended first = std::move(total);
    total = rlwe::Extended(context_, levels_.level);
    rlwe::add_automorphism(
        first, ckks::rotation_element(*context_, static_cast<std::int64_t>(plan_.giant[0])), keys, total);
  }
  for (std::size_t g = 1; g < sums.size(); ++g) {
    const auto step = static_cast<std::int64_t>(plan_.giant[g]);
    rlwe::add_automorphism(sums[g], ckks::rotation_element(*context_, step), keys, total);
  }
  return {levels_.rescaling == Rescaling::last_prime ? rlwe::divide_rescale(total) : rlwe::divide(total),
          levels_.to};
}

std::vector<std::int64_t> LinearTransform::rotations() const {
  std::set<std::int64_t> steps;
  for (const auto* some : {&plan_.baby, &plan_.giant}) {
    for (const std::size_t step : *some) {
      if (step != 0) steps.insert(static_cast<std::int64_t>(step));
    }
  }
  return {steps.begin(), steps.end()};
}

std::size_t LinearTransform::memory_bytes() const { return diagonals_->memory_bytes(); }

}  // namespace ap::circuits
