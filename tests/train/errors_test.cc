#include "train/errors.h"

#include <algorithm>
#include <set>

#include "linear/layout.h"
#include "support.h"

namespace ap::train {
namespace {

std::vector<std::int32_t> after(const Errors& errors, std::uint64_t seed, std::uint64_t image, int node,
                                std::vector<std::int32_t> values) {
  errors(seed, image).after_node(node, values);
  return values;
}

TEST(Errors, FailuresAreAsRareAsToldAndRuinAWholeReply) {
  BatchedFailures layer{3, -3, 1009, {{}, {}}};
  for (std::uint32_t o = 0; o < 200; ++o) layer.outputs[o % 2].push_back(o);
  const Errors errors = inject({}, {layer});
  const std::vector<std::int32_t> zero(200, 0);
  int failed = 0;
  std::int64_t sum = 0, count = 0;
  for (std::uint64_t image = 0; image < 2000; ++image) {
    const auto values = after(errors, 1, image, 3, zero);
    for (std::size_t reply = 0; reply < 2; ++reply) {
      int wrong = 0;
      for (const std::uint32_t o : layer.outputs[reply]) {
        wrong += values[o] != 0;
        EXPECT_LE(std::abs(values[o]), 504);
        sum += std::abs(values[o]);
      }
      if (wrong == 0) continue;
      EXPECT_GT(wrong, 95);  // a slot of 1009 may be right by chance
      ++failed;
      count += 100;
    }
  }
  EXPECT_NEAR(failed, 500, 5 * 21);  // 4000 / 8, five standard deviations
  EXPECT_NEAR(static_cast<double>(sum) / static_cast<double>(count), 1009.0 / 4, 5);
  EXPECT_EQ(after(errors, 1, 0, 2, zero), zero);
}

TEST(Errors, RandomNumbersAreCommonToAllRates) {
  std::vector<std::vector<bool>> failed;
  for (const double log2_rate : {-2.0, -5.0}) {
    BatchedFailures layer{0, log2_rate, 65537, {{0}}};
    const Errors errors = inject({}, {layer});
    failed.emplace_back();
    for (std::uint64_t image = 0; image < 500; ++image) {
      failed.back().push_back(after(errors, 7, image, 0, {0})[0] != 0);
      EXPECT_EQ(after(errors, 7, image, 0, {0}), after(errors, 7, image, 0, {0}));
    }
  }
  // What fails at the lower rate fails at the higher one too.
  for (std::size_t i = 0; i < 500; ++i) EXPECT_TRUE(!failed[1][i] || failed[0][i]);
  EXPECT_GT(std::ranges::count(failed[0], true), std::ranges::count(failed[1], true));
}

TEST(Errors, EqualThoseOfTheInjection) {
  noise::ErrorModel model;
  model.linears.push_back({1, std::vector<float>(50, 3.0F)});
  model.logits = 1;
  model.logit_bits = 20;
  const Errors errors = inject(model);
  noise::Injection injection(model, 4, 9);
  std::vector<std::int32_t> wanted(50, 100);
  injection.hooks().after_node(1, wanted);
  EXPECT_EQ(after(errors, 4, 9, 1, std::vector<std::int32_t>(50, 100)), wanted);
  EXPECT_NE(after(errors, 4, 10, 1, std::vector<std::int32_t>(50, 100)), wanted);
}

TEST(Errors, RepliesCarryEveryOutputOnce) {
  const nn::QuantisedNetwork network = quantised(small_graph(), stripes());
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const auto* op = std::get_if<nn::QLinear>(&network.nodes[i].op);
    if (!op || op->groups > 1) continue;
    const auto replies = reply_outputs(network, static_cast<int>(i), {}, 128);
    std::set<std::uint32_t> all;
    std::size_t count = 0;
    for (const auto& reply : replies) {
      all.insert(reply.begin(), reply.end());
      count += reply.size();
    }
    EXPECT_EQ(count, static_cast<std::size_t>(network.nodes[i].shape.size()));
    EXPECT_EQ(all.size(), count);
  }
}

TEST(Errors, SeedsAreHalved) {
  const SeedHalves halves = halve_seeds(10, 3);
  EXPECT_EQ(halves.train, (std::vector<std::uint64_t>{10, 12, 14}));
  EXPECT_EQ(halves.evaluate, (std::vector<std::uint64_t>{11, 13, 15}));
}

}  // namespace
}  // namespace ap::train
