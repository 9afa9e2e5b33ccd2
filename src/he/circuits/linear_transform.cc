#include "he/circuits/linear_transform.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"

namespace ap::circuits {

namespace {

using Diagonals = std::map<std::size_t, std::vector<Complex>>;

bool all_real(const Diagonals& diagonals) {
  return std::ranges::all_of(diagonals, [](const auto& diagonal) {
    return std::ranges::all_of(diagonal.second, [](const Complex& value) { return value.imag() == 0; });
  });
}

}  // namespace

/// The diagonals, each rotated back by its giant step, so that the giant step comes after the product.
class LinearTransform::EncodedDiagonals : public rlwe::Weights {
 public:
  EncodedDiagonals(const ckks::Encoder& encoder, const DiagonalMatrix& matrix, const StepPlan& plan,
                   const ckks::Scale& scale, const Levels& levels)
      : context_(encoder.context()),
        subring_(context_, matrix.size(),
                 matrix.size() >= Subring::kLeastRealSlots && all_real(matrix.diagonals())),
        babies_(plan.baby.size()),
        level_(levels.level),
        stride_(subring_.words() + ring::kWeightPadding),
        at_(plan.baby.size() * plan.giant.size(), kNone),
        coefficients_(matrix.diagonals().size()) {
    // In the order in which they are used.
    std::vector<const std::vector<Complex>*> of_place(at_.size());
    std::size_t number = 0;
    for (const auto& [diagonal, values] : matrix.diagonals()) {
      const StepPlan::Place& place = plan.places[number++];
      of_place[place.giant * babies_ + place.baby] = &values;
    }
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < at_.size(); ++place) {
      if (of_place[place] == nullptr) continue;
      at_[place] = places.size();
      places.push_back(place);
    }
    parallel_for(places.size(), [&](std::size_t d) {
      std::vector<Complex> rotated = *of_place[places[d]];
      const std::size_t giant = plan.giant[places[d] / babies_];
      std::rotate(rotated.begin(), rotated.end() - static_cast<std::ptrdiff_t>(giant), rotated.end());
      coefficients_[d] =
          subring_.coefficients(encoder.coefficients(std::span<const Complex>(rotated), scale));
    });
    for (const auto& one : coefficients_) {
      narrow_ = narrow_ && std::ranges::all_of(one, [](std::int64_t x) {
                  return -Subring::kNarrow < x && x < Subring::kNarrow;
                });
    }
    if (levels.storage != DiagonalStorage::values) return;
    const std::size_t primes = level_ + context_->special();
    values_.resize(primes * places.size() * stride_);
    parallel_for(places.size(), [&](std::size_t d) {
      for (std::size_t i = 0; i < primes; ++i) {
        subring_.transform(coefficients_[d], narrow_, i < level_ ? i : context_->data() + i - level_,
                           std::span(values_).subspan(kept_at(d, i), subring_.words()));
      }
      coefficients_[d] = {};
    });
  }

  bool has(std::size_t sum, std::size_t term) const override { return at_[sum * babies_ + term] != kNone; }
  ring::WeightShape shape() const override { return subring_.shape(); }
  const std::uint64_t* values(std::size_t sum, std::size_t term, std::size_t prime,
                              std::span<std::uint64_t> room) const override {
    const std::size_t d = at_[sum * babies_ + term];
    if (!values_.empty()) {
      return values_.data() +
             kept_at(d, prime < context_->data() ? prime : level_ + prime - context_->data());
    }
    subring_.transform(coefficients_[d], narrow_, prime, room.first(subring_.words()));
    return room.data();
  }
  std::size_t memory_bytes() const {
    std::size_t words = values_.size();
    for (const auto& one : coefficients_) words += one.size();
    return words * sizeof(std::uint64_t);
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  // Prime after prime, in each the diagonals in the order of their use.
  std::size_t kept_at(std::size_t d, std::size_t i) const { return (i * coefficients_.size() + d) * stride_; }

  rlwe::ContextPtr context_;
  Subring subring_;
  std::size_t babies_, level_, stride_;
  bool narrow_ = true;
  std::vector<std::size_t> at_;
  std::vector<std::vector<std::int64_t>> coefficients_;
  LargeVector<std::uint64_t> values_;
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
