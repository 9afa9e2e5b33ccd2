#include "train/errors.h"

#include "tests/train/support.h"

namespace ap::train {
namespace {

std::vector<std::int32_t> after(const Errors& errors, std::uint64_t seed, std::uint64_t image, int node,
                                std::vector<std::int32_t> values) {
  errors(seed, image).after_node(node, values);
  return values;
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

TEST(Errors, RandomNumbersAreCommonToAllPlans) {
  // Twice the error, the same draws: rounding aside, twice the deviations.
  const auto deviations = [](float error_std) {
    noise::ErrorModel model;
    model.linears.push_back({1, std::vector<float>(50, error_std)});
    model.logits = 1;
    model.logit_bits = 31;
    return after(inject(model), 4, 9, 1, std::vector<std::int32_t>(50, 0));
  };
  const auto once = deviations(1000), twice = deviations(2000);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_NEAR(twice[i], 2 * once[i], 3);
}

TEST(Errors, HooksOutliveTheirSource) {
  nn::IntegerHooks hooks;
  {
    noise::ErrorModel model;
    model.linears.push_back({1, std::vector<float>(8, 5.0F)});
    model.truncations.push_back({2, 20, 4, 2, 8, 0});
    model.logits = 3;
    model.logit_bits = 20;
    hooks = inject(model)(1, 1);
  }
  std::vector<std::int32_t> values(8, 64), offset(8, 8);
  hooks.after_node(1, values);
  hooks.rounding(2, values, offset);
  for (const std::int32_t o : offset) EXPECT_TRUE(o >= 5 && o <= 8) << o;
}

TEST(Errors, SeedsAreHalved) {
  const SeedHalves halves = halve_seeds(10, 3);
  EXPECT_EQ(halves.train, (std::vector<std::uint64_t>{10, 12, 14}));
  EXPECT_EQ(halves.evaluate, (std::vector<std::uint64_t>{11, 13, 15}));
}

}  // namespace
}  // namespace ap::train
