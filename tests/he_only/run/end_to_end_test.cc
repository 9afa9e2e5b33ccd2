// Encrypted answers against the polynomial network in the clear.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "he_only/plan/choose.h"
#include "he_only/plan/noise.h"
#include "he_only/run/clear.h"
#include "he_only/run/client.h"
#include "he_only/run/evaluator.h"
#include "random/wide_noise.h"
#include "tests/he_only/observed.h"

namespace ap::he_only {
namespace {

using testing::Builder;
using testing::observe;
using testing::Observed;
using testing::window;

struct Outcome {
  std::vector<double> expected, scores;
  double slot_error = 0, largest = 0;
};
// One image through keys, wire and all.
Outcome run(Builder& builder, Request request, Chosen* out = nullptr) {
  const nn::Graph graph = builder.graph();
  const Structure structure(graph);
  const ClearNetwork clear(structure);
  std::vector<std::vector<float>> images;
  for (int i = 0; i < 8; ++i) images.push_back(builder.image());
  Observed seen = observe(structure, clear, images);
  const Chosen chosen = choose(structure, seen.choices, seen.mean_squares, request);
  if (out) *out = chosen;
  const Contexts contexts(chosen.program, chosen.choices.ring);
  const Evaluator evaluator(structure, chosen.shaped, chosen.choices, chosen.program, contexts);
  Prng prng(Seed{1});
  const ClientKeys client(chosen.program, contexts, prng);
  EvaluationKeys keys(chosen.program, contexts);
  client.publish(prng, [&](const Bytes& part) { keys.take(part); });
  EXPECT_TRUE(keys.complete());
  const Ends ends = ends_of(chosen.shaped, chosen.program);
  const ClientCoder coder(contexts, chosen.program.input_context, ends);
  Outcome result;
  result.expected = clear.scores(images[0], chosen.choices.polynomials);
  const Bytes upload = coder.encrypt(images[0], client, prng);
  EXPECT_EQ(upload.size(), coder.request_bytes());
  const Registers image = load_request(contexts, chosen.program.input_context, ends, upload);
  const Bytes answer = serialise_answer(evaluator.answer(image, keys, prng));
  EXPECT_EQ(answer.size(), coder.answer_bytes());
  const SecretVector<double> scores = coder.decrypt(answer, client);
  result.scores.assign(scores.begin(), scores.end());
  result.slot_error = chosen.slot_error;
  result.largest = std::abs(chosen.program.steps.back().view.factor);
  return result;
}

// Few weights bear few inferences.
Request few() {
  Request request;
  request.inferences = 256;
  return request;
}

void expect_close(const Outcome& run) {
  ASSERT_EQ(run.scores.size(), run.expected.size());
  for (std::size_t i = 0; i < run.scores.size(); ++i) {
    EXPECT_NEAR(run.scores[i], run.expected[i], 6 * run.slot_error * run.largest) << i;
  }
  EXPECT_LT(run.slot_error, 1.0 / 256);
}

TEST(HeOnly, ConvolutionsSquaresAndConnections) {
  Builder b({1, 12, 12}, 1);
  const int conv = b.conv(0, 4, window(5, 2, 1));
  const int hidden = b.connect(b.square(conv), 20);
  b.connect(b.square(hidden, 0, 0, 1), 10);
  Chosen chosen;
  const Outcome result = run(b, {}, &chosen);
  expect_close(result);
  EXPECT_GE(chosen.lambda_bits, 128);
  EXPECT_LE(chosen.bits_per_weight, 1.001 * kBitsPerWeight);
  // Three matrices and two squares, above the prime at the bottom.
  EXPECT_EQ(chosen.program.steps[0].level, 6U);
}

TEST(HeOnly, ResidualsWithShortcutsOfEveryKind) {
  Builder b({2, 8, 8}, 2);
  const int stem = b.square(b.conv(0, 4, window(3, 1, 1)));
  // An identity, a strided gather that pads channels, and a convolution.
  const int one = b.square(b.add(b.conv(stem, 4, window(3, 1, 1), 2), stem));
  std::vector<std::int32_t> index;
  for (int c = 0; c < 8; ++c) {
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 4; ++x) index.push_back(c < 2 || c > 5 ? -1 : ((c - 2) * 8 + 2 * y) * 8 + 2 * x);
    }
  }
  const int two = b.square(b.add(b.conv(one, 8, window(3, 2, 1)), b.gather(one, {8, 4, 4}, index)));
  const int three = b.square(b.add(b.conv(two, 8, window(3, 1, 1)), b.conv(two, 8, window(1, 1, 0))));
  b.connect(b.pool(b.affine(three), window(4, 4, 0)), 5);
  expect_close(run(b, few()));
}

TEST(HeOnly, SumsWithoutActivationsPoolingAndConcatenation) {
  Builder b({3, 8, 8}, 3);
  const int a = b.conv(0, 4, window(3, 1, 1));
  const int c = b.conv(b.square(a), 4, window(3, 1, 1));
  const int sum = b.add(a, c);  // a is read twice, and no activation ends the sum
  const int next = b.conv(sum, 4, window(3, 2, 1));
  const int joined = b.concat(b.square(next), b.pool(sum, window(2, 2, 0)));
  b.connect(joined, 3);
  expect_close(run(b, few()));
}

TEST(HeOnly, WithoutFloodingErrorsAreThoseOfTheModel) {
  Builder b({1, 8, 8}, 4);
  b.connect(b.square(b.conv(0, 8, window(3, 1, 1))), 64);
  Request request;
  request.inferences = 0;
  const Outcome result = run(b, request);
  double sum = 0;
  for (std::size_t i = 0; i < result.scores.size(); ++i) {
    sum += std::pow((result.scores[i] - result.expected[i]) / result.largest, 2);
  }
  const double measured = std::sqrt(sum / static_cast<double>(result.scores.size()));
  // The flood bounds are made with the model's variance times kNoiseMargin.
  EXPECT_LT(measured, 2 * result.slot_error);
  EXPECT_GT(measured, result.slot_error / 8);
}

// A bootstrap before each of two squares, with 2.5 GB of keys: AP_SLOW=R15 has it run.
TEST(HeOnly, BootstrappedActivations) {
  const char* slow = std::getenv("AP_SLOW");
  if (slow == nullptr || std::string(slow).find("R15") == std::string::npos)
    GTEST_SKIP() << "AP_SLOW=R15 runs it";
  Builder b({1, 8, 8}, 5);
  b.connect(b.square(b.conv(b.square(b.conv(0, 4, window(3, 1, 1))), 4, window(3, 2, 1))), 8);
  const nn::Graph graph = b.graph();
  const Structure structure(graph);
  const ClearNetwork clear(structure);
  std::vector<std::vector<float>> images;
  for (int i = 0; i < 4; ++i) images.push_back(b.image());
  Choices choices = observe(structure, clear, images).choices;
  choices.ring = {32768, 0, 0, 3, 0, "R15", 1024};
  const ShapedNetwork shaped = shape(structure, 16384);
  const Program program = make_program(structure, shaped, choices);
  EXPECT_EQ(program.bootstraps, 2U);
  const Contexts contexts(program, choices.ring);
  const Evaluator evaluator(structure, shaped, choices, program, contexts);
  Prng prng(Seed{1});
  const ClientKeys client(program, contexts, prng);
  EvaluationKeys keys(program, contexts);
  client.publish(prng, [&](const Bytes& part) { keys.take(part); });
  const Ends ends = ends_of(shaped, program);
  const ClientCoder coder(contexts, program.input_context, ends);
  const Bytes upload = coder.encrypt(images[0], client, prng);
  const Registers answer =
      evaluator.answer(load_request(contexts, program.input_context, ends, upload), keys, prng);
  const auto scores = coder.decrypt(serialise_answer(answer), client);
  const std::vector<double> expected = clear.scores(images[0], choices.polynomials);
  const double largest = std::abs(program.steps.back().view.factor);
  for (std::size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(scores[i], expected[i], largest / 256) << i;
}

}  // namespace
}  // namespace ap::he_only
