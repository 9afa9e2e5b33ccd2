#include "planner/search/margin_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "planner/policies/budget.h"
#include "planner/spaces/assemble.h"
#include "tests/planner/resnet20.h"
#include "tests/planner/search/small_problem.h"

namespace ap::search {
namespace {

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> rank(values.size());
  for (std::size_t k = 0; k < order.size(); ++k) rank[order[k]] = static_cast<double>(k);
  return rank;
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = ranks(a), y = ranks(b);
  const auto n = static_cast<double>(a.size());
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) squares += (x[i] - y[i]) * (x[i] - y[i]);
  return 1 - 6 * squares / (n * (n * n - 1));
}

TEST(MarginModel, AgreesWithMeasuredSensitivities) {
  std::string missing;
  const plan::test::Resnet20* net = plan::test::resnet20(missing);
  if (!net) GTEST_SKIP() << missing << " is not there";
  constexpr std::size_t kImages = 12;
  const MarginModel model(net->network, net->images, kImages);
  const std::vector<int> linears = plan::linear_nodes(net->network);
  const auto steps = plan::error_steps(net->network, plan::exact_ranges(net->network));
  const auto pixels = static_cast<std::size_t>(net->network.input_shape().size());
  const nn::IntegerExecutor executor(net->network);
  std::vector<double> predicted, measured;
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i + 1 < linears.size(); ++i) {
    // Beyond the step: roundings pass smaller errors on with their own variance instead.
    const double error_std = 2 * steps[i];
    std::normal_distribution<double> normal(0, error_std);
    double p = 0, m = 0;
    for (std::size_t n = 0; n < kImages; ++n) {
      const auto image = std::span(net->images).subspan(n * pixels, pixels);
      const auto clear = executor.logits(image);
      const auto best = static_cast<std::size_t>(std::ranges::max_element(clear) - clear.begin());
      std::size_t second = best == 0 ? 1 : 0;
      for (std::size_t k = 0; k < clear.size(); ++k) {
        if (k != best && clear[k] > clear[second]) second = k;
      }
      nn::IntegerHooks hooks;
      hooks.after_node = [&](int node, std::span<std::int32_t> values) {
        if (node != linears[i]) return;
        for (std::int32_t& v : values) v += static_cast<std::int32_t>(std::lround(normal(random)));
      };
      const auto noisy = executor.logits(image, hooks);
      m += std::pow(noisy[best] - noisy[second] - model.margin(n), 2);
      p += error_std * error_std * model.power(n, i);
      EXPECT_EQ(model.margin(n), clear[best] - clear[second]);
    }
    predicted.push_back(p);
    measured.push_back(m);
    EXPECT_LT(std::abs(std::log2(p / m)), 3) << "layer " << i << ": " << p / m;
  }
  EXPECT_GT(rank_correlation(predicted, measured), 0.7);
  double mean = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) mean += std::log2(predicted[i] / measured[i]);
  EXPECT_LT(std::abs(mean / static_cast<double>(predicted.size())), 1);
}

TEST(MarginModel, SensitivitiesAreTheSlopesOfExpectedChanges) {
  const test::SmallProblem small(40);
  const MarginModel model(small.network, small.images, 40);
  std::vector<double> variances;
  for (const double step : small.problem.steps) variances.push_back(step * step);
  const std::vector<double> slopes = model.sensitivities(variances);
  for (std::size_t i = 0; i < variances.size(); ++i) {
    std::vector<double> more = variances;
    more[i] *= 1.001;
    const double numeric =
        (model.expected_changes(more) - model.expected_changes(variances)) / (0.001 * variances[i]);
    EXPECT_NEAR(slopes[i], numeric, 0.01 * std::abs(numeric) + 1e-12) << i;
  }
  EXPECT_EQ(model.expected_changes(std::vector<double>(variances.size(), 0)), 0);
}

}  // namespace
}  // namespace ap::search
