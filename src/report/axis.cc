#include "report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html.h"

namespace ap::report {

bool Axis::shows(double value) const { return std::isfinite(value) && (!logarithmic() || value > 0); }

bool Axis::include(double value) {
  if (!shows(value)) return false;
  least_ = any_ ? std::min(least_, value) : value;
  most_ = any_ ? std::max(most_, value) : value;
  any_ = true;
  return true;
}

double Axis::mapped(double value) const {
  switch (scale_) {
    case Scale::decimal:
      return std::log10(value);
    case Scale::binary:
      return std::log2(value);
    case Scale::linear:
    case Scale::index:
      break;
  }
  return value;
}

double Axis::place(double value) const { return (mapped(value) - low_) / (high_ - low_); }

void Axis::finish(int count) {
  if (!any_) least_ = most_ = 1;
  switch (scale_) {
    case Scale::linear:
      finish_linear(count);
      break;
    case Scale::binary:
      finish_binary(count);
      break;
    case Scale::decimal:
      finish_decimal();
      break;
    case Scale::index:
      finish_index(count);
      break;
  }
}

void Axis::finish_linear(int count) {
  double span = most_ - least_;
  // A constant has no span; a tenth of it, or 1, gives it one.
  if (!(span > 1e-9 * std::max(std::abs(most_), std::abs(least_)))) {
    span = std::max(std::abs(most_) * 0.1, most_ == 0 ? 1.0 : 1e-300);
    least_ -= span / 2, most_ += span / 2;
  }
  const double rough = span / count, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double multiple : {1.0, 2.0, 5.0}) {
    if (multiple * power >= rough * 0.999) {
      step = multiple * power;
      break;
    }
  }
  low_ = std::floor(least_ / step + 1e-9) * step;
  high_ = std::ceil(most_ / step - 1e-9) * step;
  if (high_ <= low_) high_ = low_ + step;
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
  const auto ticks = static_cast<int>(std::lround((high_ - low_) / step));
  for (int i = 0; i <= ticks; ++i) {
    const double value = low_ + i * step;
    const double shown = std::abs(value) < step * 1e-6 ? 0 : value;
    ticks_.push_back(
        {shown, std::abs(shown) >= 1e7 ? number(shown) : fmt::format("{:.{}f}", shown, decimals)});
  }
}

void Axis::finish_index(int count) {
  const bool single = !(most_ > least_);
  low_ = single ? least_ - 0.5 : least_;
  high_ = single ? most_ + 0.5 : most_;
  const double rough = std::max(1.0, (high_ - low_) / count),
               power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double multiple : {5.0, 2.0, 1.0}) {
    if (multiple * power >= rough) step = multiple * power;
  }
  // The first index always, then multiples of the step.
  if (least_ == std::floor(least_)) ticks_.push_back({least_, fmt::format("{:.0f}", least_)});
  for (double value = (std::floor(least_ / step) + 1) * step; value <= high_; value += step) {
    if (value - low_ < step / 2 && !ticks_.empty()) continue;
    ticks_.push_back({value, fmt::format("{:.0f}", value)});
  }
}

void Axis::finish_binary(int count) {
  low_ = std::floor(std::log2(least_) + 1e-9);
  high_ = std::max(std::ceil(std::log2(most_) - 1e-9), low_ + 1);
  const int step = std::max(1, static_cast<int>(std::ceil((high_ - low_) / count)));
  for (int e = static_cast<int>(low_); e <= static_cast<int>(high_); e += step) {
    ticks_.push_back(
        {std::exp2(e), e >= 0 && e < 40 ? fmt::format("{:.0f}", std::exp2(e)) : number(std::exp2(e))});
  }
}

void Axis::finish_decimal() {
  const double low = std::log10(least_), high = std::log10(most_);
  const bool wide = high - low > 2.5;
  // Ends at 1, 2 or 5 times a power of ten, or at a power of ten if there are many of them.
  const std::vector<double> multiples = wide ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
  std::vector<double> marks;
  for (int e = static_cast<int>(std::floor(low)) - 1; e <= static_cast<int>(std::ceil(high)) + 1; ++e) {
    for (const double m : multiples) marks.push_back(m * std::pow(10, e));
  }
  const auto first = std::upper_bound(marks.begin(), marks.end(), least_ * (1 + 1e-9)) - 1;
  auto last = std::lower_bound(marks.begin(), marks.end(), most_ * (1 - 1e-9));
  if (last <= first) last = first + 1;
  low_ = std::log10(*first), high_ = std::log10(*last);
  const auto stride = std::max<std::ptrdiff_t>(1, (last - first + 5) / 6);
  for (auto mark = first; mark <= last; mark += std::min(stride, std::max<std::ptrdiff_t>(1, last - mark))) {
    ticks_.push_back({*mark, number(*mark, 1)});
    if (mark == last) break;
  }
  // Two labels that nearly meet are worse than one.
  if (stride > 1 && (last - first) % stride != 0) ticks_.pop_back();
}

}  // namespace ap::report
