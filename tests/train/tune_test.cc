// Training of the integer network, with and without errors.
#include "train/tune.h"
#include "analysis/noise/counter_random.h"
#include "nn/onnx/export.h"
#include "nn/onnx/import.h"
#include "tests/train/support.h"

namespace ap::train {
namespace {

TrainOptions options(int epochs, double rate) {
  TrainOptions o;
  o.epochs = epochs;
  o.batch = 20;
  o.rate = rate;
  o.threads = 1;
  return o;
}

nn::Graph trained(float high = std::numeric_limits<float>::infinity()) {
  return train_float(small_graph(high), stripes(), options(6, 0.05)).graph;
}

TEST(TuneQuantised, RepairsWhatFewBitsCost) {
  const nn::Graph graph = trained();
  const Samples samples = stripes(), test = stripes(150, 9);
  const nn::QuantisedNetwork network = quantised(graph, samples, 2);
  const double before = integer_accuracy(network, test, {}, {}).clear;
  const QuantisedResult tuned =
      tune_quantised(graph, network, samples, options(12, 0.02), {.weight_bits = 2});
  const double after = integer_accuracy(tuned.network, test, {}, {}).clear;
  EXPECT_GT(after, before);
  EXPECT_GT(after, 0.85);
  // What is exported computes what was trained: the float network of the tuned weights.
  EXPECT_EQ(tuned.graph.nodes.size(), graph.nodes.size());
}

TEST(TuneQuantised, RepairsWhatErrorsCost) {
  const nn::Graph graph = trained();
  const Samples samples = stripes(), test = stripes(150, 9);
  const nn::QuantisedNetwork network = quantised(graph, samples, 8);
  noise::ErrorModel model;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    if (!std::holds_alternative<nn::QLinear>(node.op)) continue;
    const double reach = 0.3 * static_cast<double>(node.high);
    model.linears.push_back(
        {static_cast<int>(i),
         std::vector<float>(static_cast<std::size_t>(node.shape.size()), static_cast<float>(reach))});
  }
  model.logits = static_cast<int>(network.nodes.size()) - 1;
  model.logit_bits = 31;
  const Errors errors = inject(model);
  const SeedHalves seeds = halve_seeds(1, 4);
  const double before = integer_accuracy(network, test, errors, seeds.evaluate).mean;
  ASSERT_LT(before, 0.95);
  const QuantisedResult tuned =
      tune_quantised(graph, network, samples, options(12, 0.02), {8, errors, seeds.train});
  EXPECT_GT(integer_accuracy(tuned.network, test, errors, seeds.evaluate).mean, before);
}

TEST(Accuracy, OfIntegersKnowsItsSeeds) {
  const nn::Graph graph = trained();
  const Samples samples = stripes(60, 4);
  const nn::QuantisedNetwork network = quantised(graph, samples, 8);
  const IntegerAccuracy clear = integer_accuracy(network, samples, {}, {});
  EXPECT_EQ(clear.images, 60U);
  EXPECT_EQ(clear.mean, clear.clear);
  EXPECT_LE(clear.interval.low, clear.mean);
  EXPECT_NEAR(clear.clear, float_accuracy(graph, samples), 0.1);
  noise::ErrorModel model;  // garbage instead of logits
  model.linears.push_back({static_cast<int>(network.nodes.size()) - 1, std::vector<float>(3, 1e6F)});
  model.logits = model.linears[0].node;
  model.logit_bits = 31;
  const std::vector<std::uint64_t> seeds = {1, 2, 3};
  const IntegerAccuracy garbage = integer_accuracy(network, samples, inject(model), seeds);
  EXPECT_EQ(garbage.by_seed.size(), 3U);
  EXPECT_NEAR(garbage.mean, 1.0 / 3, 0.15);
  EXPECT_EQ(garbage.clear, clear.clear);
}

TEST(Tune, ReplacesReLUsAndThenTrainsOnTheGrid) {
  const Samples samples = stripes();
  const auto [train_set, validation] = split(samples, 0.2);
  TuneOptions wanted;
  wanted.train = options(6, 0.02);
  wanted.quadratic.replace = 1;
  wanted.bits = 6;
  const TuneResult result = tune(trained(6), train_set, validation, wanted);
  EXPECT_EQ(result.quadratics.size(), 1U);
  EXPECT_EQ(result.stages.size(), 2U);
  EXPECT_GT(result.after.integer.clear, 0.7);
  const auto count = [&](const nn::QuantisedNetwork& n) {
    return std::ranges::count_if(
        n.nodes, [](const nn::QNode& q) { return std::holds_alternative<nn::QQuadratic>(q.op); });
  };
  EXPECT_EQ(count(result.network), 1);
  wanted.planned = PlannedNetwork{result.network, {}, halve_seeds(1, 1)};
  EXPECT_NE(error_of([&] { tune(trained(6), train_set, validation, wanted); }).find("its plan"),
            std::string::npos);
}

TEST(Quadratic, FindsActivationsAndSets) {
  EXPECT_EQ(activations(small_graph()), (std::vector<int>{2, 4}));
  // All of the sets when they are few.
  EXPECT_EQ(candidate_sets(7, 3, 1, 2, 10, 1),
            (std::vector<std::vector<int>>{{1, 2, 3}, {1, 2, 4}, {1, 3, 4}, {2, 3, 4}}));
  // Too few in the middle: none is kept.
  EXPECT_EQ(candidate_sets(4, 4, 1, 2, 3, 1), (std::vector<std::vector<int>>{{0, 1, 2, 3}}));
  const auto drawn = candidate_sets(32, 26, 1, 2, 10, 1);
  EXPECT_EQ(drawn.size(), 10U);
  for (const auto& set : drawn) {
    EXPECT_EQ(set.size(), 26U);
    EXPECT_TRUE(std::ranges::is_sorted(set));
    EXPECT_GE(set.front(), 1);
    EXPECT_LE(set.back(), 29);
    EXPECT_EQ(std::ranges::count(drawn, set), 1);
  }
  EXPECT_EQ(drawn, candidate_sets(32, 26, 1, 2, 10, 1));
  EXPECT_NE(drawn, candidate_sets(32, 26, 1, 2, 10, 2));
  EXPECT_THROW(candidate_sets(3, 4, 0, 0, 1, 1), Error);
}

TEST(Quadratic, FitIsDelphisForNormalArguments) {
  const noise::NormalQuantile& normal = noise::NormalQuantile::instance();
  std::vector<float> samples(200'000), wide;
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = normal(noise::counter_bits(1, i));
  for (const float x : samples) wide.push_back(5 * x);
  const nn::ClipOp relu{0, std::numeric_limits<float>::infinity()};
  const nn::QuadraticOp q = fit_quadratic(relu, samples), w = fit_quadratic(relu, wide);
  EXPECT_NEAR(q.c0, 0.19947, 0.01);
  EXPECT_NEAR(q.c1, 0.5, 0.01);
  EXPECT_NEAR(q.c2, 0.19947, 0.01);
  EXPECT_NEAR(w.c0, 5 * q.c0, 1e-3);
  EXPECT_NEAR(w.c1, q.c1, 1e-3);
  EXPECT_NEAR(w.c2, q.c2 / 5, 1e-3);
  EXPECT_THROW(fit_quadratic(relu, std::vector<float>{1, 1, 2, 2}), Error);
}

TEST(Quadratic, TheBestSetIsKeptAndExported) {
  const Samples samples = stripes();
  const auto [train_set, validation] = split(samples, 0.2);
  QuadraticOptions wanted;
  wanted.replace = 1;
  wanted.search_epochs = 12;
  TrainOptions o = options(1, 0.02);
  o.max_gradient = 2;
  int reported = 0;
  const QuadraticResult result =
      choose_quadratics(trained(6), train_set, validation, wanted, o, [&](const Candidate&) { ++reported; });
  ASSERT_EQ(result.candidates.size(), 2U);
  EXPECT_EQ(reported, 2);
  for (const Candidate& c : result.candidates) EXPECT_LE(c.accuracy, result.candidates[result.best].accuracy);
  EXPECT_GT(result.candidates[result.best].accuracy, 0.7);
  const auto back = nn::import_onnx_bytes(nn::export_onnx(result.graph), "back");
  const std::vector<int> exact = activations(back);
  EXPECT_EQ(exact.size(), 1U);
  int quadratics = 0;
  for (const nn::Node& node : back.nodes) {
    const auto* q = std::get_if<nn::QuadraticOp>(&node.op);
    quadratics += q && q->c0 == 0.1992F && q->c1 == 0.5002F && q->c2 == 0.1997F;
  }
  EXPECT_EQ(quadratics, 1);
  EXPECT_EQ(float_accuracy(back, validation), result.candidates[result.best].accuracy);
}

}  // namespace
}  // namespace ap::train
