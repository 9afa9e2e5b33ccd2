#include "planner/search/forecast.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"

namespace ap::search {
namespace {

// The trust in the model before any simulation, in changed classes.
constexpr double kPriorWeight = 2;
// Factors beyond 2^-kMostLog2 .. 2^kMostLog2 are not believed; halvings that find one.
constexpr double kMostLog2 = 6;
constexpr int kHalvings = 20;
// Exchanges of a refinement, and single steps a layer between two of them.
constexpr int kExchanges = 64, kStepsALayer = 8;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// One layer to another point of its list.
struct Step {
  std::size_t layer;
  int point;
};

/// The step with the largest gain per price; of none that gains at no price, so one that costs nothing wins.
/// Gain is in seconds if `cheaper`, else in changes.
std::optional<Step> best_step(const Environment& environment, std::span<const double> slopes,
                              const Choice& choice, bool cheaper) {
  std::optional<Step> best;
  double most = 0;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    const auto points = environment.points(i);
    const Point& here = points[at(choice[i])];
    const int first = cheaper ? choice[i] + 1 : 0;
    const int end = cheaper ? static_cast<int>(points.size()) : choice[i];
    for (int k = first; k < end; ++k) {
      const Point& there = points[at(k)];
      const double seconds = std::abs(there.seconds - here.seconds);
      const double changes = slopes[i] * std::abs(there.error * there.error - here.error * here.error);
      const double rate = cheaper ? seconds / std::max(changes, 1e-15) : changes / std::max(seconds, 1e-15);
      if (rate > most) most = rate, best = Step{i, k};
    }
  }
  return best;
}

/// Steps to more exact points until the changes are allowed, then to cheaper ones while they stay so.
void settle(const Environment& environment, const Forecast& forecast, Choice& choice, double allowed) {
  const int steps = kStepsALayer * static_cast<int>(choice.size());
  for (int k = 0; k < steps && forecast.changes(choice) > allowed; ++k) {
    const auto step = best_step(environment, forecast.slopes(choice), choice, false);
    if (!step) return;
    choice[step->layer] = step->point;
  }
  // A layer whose best step is too much is left alone.
  std::vector<double> slopes = forecast.slopes(choice);
  std::vector<bool> left(choice.size(), false);
  for (int k = 0; k < steps; ++k) {
    Choice free = choice;
    for (std::size_t i = 0; i < free.size(); ++i) {
      if (left[i]) free[i] = static_cast<int>(environment.points(i).size()) - 1;
    }
    const auto step = best_step(environment, slopes, free, true);
    if (!step) return;
    Choice next = choice;
    next[step->layer] = step->point;
    if (forecast.changes(next) <= allowed) {
      choice = std::move(next);
      slopes = forecast.slopes(choice);
    } else {
      left[step->layer] = true;
    }
  }
}

}  // namespace

Forecast::Forecast(const Environment& environment, std::size_t images)
    : environment_(&environment),
      model_(*environment.problem().network, environment.problem().search.pixels, images),
      weight_(kPriorWeight) {
  if (!environment.small_errors()) fail_input("a forecast needs errors that grow with their budgets");
}

std::vector<double> Forecast::variances(const Choice& choice, double factor) const {
  std::vector<double> all;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    const double error = environment_->points(i)[at(choice[i])].error;
    all.push_back(factor * error * error);
  }
  return all;
}

double Forecast::factor() const { return std::exp2(sum_ / weight_); }

double Forecast::changes(const Choice& choice) const {
  return model_.expected_changes(variances(choice, factor()));
}

std::vector<double> Forecast::slopes(const Choice& choice) const {
  std::vector<double> slopes = model_.sensitivities(variances(choice, factor()));
  for (double& s : slopes) s *= factor();
  return slopes;
}

void Forecast::learn(const Choice& choice, const Counts& counts) {
  if (counts.changed == 0) return;
  const double found = counts.changes();
  double low = -kMostLog2, high = kMostLog2;
  for (int k = 0; k < kHalvings; ++k) {
    const double middle = (low + high) / 2;
    (model_.expected_changes(variances(choice, std::exp2(middle))) < found ? low : high) = middle;
  }
  const auto count = static_cast<double>(counts.changed);
  sum_ += count * low;
  weight_ += count;
}

Choice refined(const Environment& environment, const Forecast& forecast, Choice choice, double allowed) {
  settle(environment, forecast, choice, allowed);
  for (int k = 0; k < kExchanges; ++k) {
    const auto step = best_step(environment, forecast.slopes(choice), choice, false);
    if (!step) break;
    Choice next = choice;
    next[step->layer] = step->point;
    settle(environment, forecast, next, allowed);
    if (forecast.changes(next) > allowed || environment.seconds(next) >= environment.seconds(choice)) break;
    choice = std::move(next);
  }
  return choice;
}

}  // namespace ap::search
