#include "analysis/noise/inject.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "layers/linear/noise_model.h"

namespace ap::noise {
namespace {

nn::QNode node(const char* name, nn::QOp op, std::vector<int> inputs, nn::Shape shape) {
  nn::QNode n;
  n.name = name;
  n.op = std::move(op);
  n.inputs = std::move(inputs);
  n.shape = shape;
  return n;
}

/// input -> 1x1 convolution with weight 1 (the identity) -> ReLU with a shift.
nn::QuantisedNetwork identity_network(int elements, int shift, std::int64_t low = 0, int bits = 8) {
  nn::QuantisedNetwork net;
  nn::QLinear linear;
  linear.in_shape = {1, 1, elements};
  linear.weights = {1};
  linear.bias = {0};
  nn::QActivation activation;
  activation.shift = shift;
  activation.low = low;
  activation.bits = bits;
  net.nodes = {node("input", nn::QInput{}, {}, {1, 1, elements}),
               node("linear", linear, {0}, {1, 1, elements}),
               node("relu", activation, {1}, {1, 1, elements})};
  return net;
}

TEST(Injection, AddsTheErrorOfReSharing) {
  const int elements = 500'000;
  const nn::QuantisedNetwork net = identity_network(elements, 4);
  const nn::IntegerExecutor executor(net);
  const std::vector<std::int32_t> image(elements, 1000);
  for (const float error_std : {0.01F, 0.2F, 1.0F, 30.0F}) {
    ErrorModel model;
    model.linears = {{1, std::vector<float>(elements, error_std)}};
    model.truncations = {{2, 20, 4, 0, 8, 0}};
    model.logits = 2;
    model.logit_bits = 20;
    Injection injection(model, 3, 4);
    const auto values = executor.run(image, injection.hooks());
    double sum = 0, squares = 0, wrong = 0;
    for (const std::int32_t v : values[1]) {
      const double d = v - 1000;
      sum += d;
      squares += d * d;
      wrong += d != 0;
    }
    EXPECT_NEAR(std::sqrt(squares / elements) / deviation_std(error_std), 1, 0.04) << error_std;
    EXPECT_NEAR(sum / elements, 0, 5 * deviation_std(error_std) / std::sqrt(elements)) << error_std;
    EXPECT_NEAR(wrong / elements / deviation_probability(error_std), 1, 0.05) << error_std;
    EXPECT_EQ(injection.wraps(), 0u);
  }
}

TEST(Injection, ErrorsOfOneSeedScaleWithTau) {
  const int elements = 1000;
  const nn::QuantisedNetwork net = identity_network(elements, 4);
  const nn::IntegerExecutor executor(net);
  const auto run = [&](float error_std, std::uint64_t seed, std::uint64_t image) {
    ErrorModel model;
    model.linears = {{1, std::vector<float>(elements, error_std)}};
    model.truncations = {{2, 24, 4, 2, 10, 0}};
    model.logits = 2;
    model.logit_bits = 24;
    Injection injection(model, seed, image);
    return executor.run(std::vector<std::int32_t>(elements, 0), injection.hooks())[1];
  };
  const auto small = run(50, 1, 7), large = run(100, 1, 7);
  for (int i = 0; i < elements; ++i) EXPECT_LE(std::abs(large[i] - 2 * small[i]), 2);
  EXPECT_EQ(small, run(50, 1, 7));
  EXPECT_NE(small, run(50, 2, 7));
  EXPECT_NE(small, run(50, 1, 8));
}

// The parties' arithmetic on every possible client share (protocol/hybrid/model.h, circuit_input), against how often
// the injection gives each result: also for values that wrap.
TEST(Injection, TruncatesAsTheTwoPartiesDo) {
  const int elements = 20'000;
  for (const int guard : {0, 2, 4}) {
    for (const std::int64_t low : {0, -16}) {
      const int sum_bits = 6, shift = 4, dropped = shift - guard, k = sum_bits + shift;
      const std::int64_t offset = 8 + (dropped > 0 ? 1 << (dropped - 1) : 0);
      const nn::QuantisedNetwork net = identity_network(elements, shift, low, 5);
      const nn::IntegerExecutor executor(net);
      ErrorModel model;
      model.truncations = {{2, sum_bits, shift, dropped, offset, low}};
      model.logits = 2;
      model.logit_bits = 20;
      for (const std::int32_t x : {-700, -513, -512, -300, -7, 0, 5, 8, 100, 250, 495, 503, 511, 512, 600}) {
        std::map<std::int32_t, double> expected, seen;
        const std::int64_t mask = (1 << k) - 1, sum_mask = (1 << (sum_bits + guard)) - 1;
        for (std::int64_t client = 0; client <= mask; ++client) {
          const std::int64_t server = ((x + offset - client) & mask) >> dropped;
          std::int64_t sum = ((client >> dropped) + server - low * (1 << guard)) & sum_mask;
          sum >>= guard;
          if (sum >= 1 << (sum_bits - 1)) sum -= 1 << sum_bits;
          const auto out = static_cast<std::int32_t>(std::clamp<std::int64_t>(sum, 0, 31) + low);
          expected[out] += 1.0 / (1 << k);
        }
        Injection injection(model, 1, static_cast<std::uint64_t>(x + 1000));
        for (const std::int32_t v :
             executor.logits(std::vector<std::int32_t>(elements, x), injection.hooks())) {
          seen[v] += 1.0 / elements;
        }
        for (const auto& [value, probability] : expected) {
          EXPECT_NEAR(seen[value], probability, 0.02)
              << x << " -> " << value << " guard " << guard << " low " << low;
        }
        const bool wraps = x + 8 - low * 16 >= 512 + 16 || x + 8 - low * 16 < -512 - 16;
        if (wraps) {
          EXPECT_GT(injection.wraps(), 0u) << x;
        }
      }
    }
  }
}

TEST(Injection, LogitsWrapAtTheirModulus) {
  const nn::QuantisedNetwork net = identity_network(8, 4, -128);
  ErrorModel model;
  model.truncations = {{2, 20, 4, 0, 8, -128}};
  model.logits = 2;
  model.logit_bits = 6;
  Injection injection(model, 1, 1);
  const std::vector<std::int32_t> x = {0, 16 * 31, 16 * 32, 16 * 33, -16 * 32, -16 * 33, 16 * 64, 16 * 100};
  EXPECT_EQ(nn::IntegerExecutor(net).logits(x, injection.hooks()),
            (std::vector<std::int32_t>{0, 31, -32, -31, -32, 31, 0, -28}));
  EXPECT_EQ(injection.wraps(), 5u);
}

}  // namespace
}  // namespace ap::noise
