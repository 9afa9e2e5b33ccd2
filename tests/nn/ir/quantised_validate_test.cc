#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "nn/ir/quantised_network.h"
#include "tests/nn/quantised_test_network.h"

namespace ap::nn {
namespace {

template <typename Op>
Op& op_of(QuantisedNetwork& n, const std::string& name) {
  for (QNode& node : n.nodes) {
    if (node.name == name) return std::get<Op>(node.op);
  }
  throw std::runtime_error("no node " + name);
}
QNode& node_of(QuantisedNetwork& n, const std::string& name) {
  for (QNode& node : n.nodes) {
    if (node.name == name) return node;
  }
  throw std::runtime_error("no node " + name);
}

TEST(Validate, AcceptsWhatIsRight) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    QuantisedNetwork n = random_network(seed);
    EXPECT_NO_THROW(validate(n));
    EXPECT_NO_THROW(validate(n, WeightsRule::required));
    EXPECT_THROW(validate(n, WeightsRule::absent), Error);
    n = strip_weights(n);
    EXPECT_NO_THROW(validate(n));
    EXPECT_NO_THROW(validate(n, WeightsRule::absent));
    EXPECT_THROW(validate(n, WeightsRule::required), Error);
  }
}

TEST(StripWeights, LeavesNothingButTheArchitecture) {
  const QuantisedNetwork n = random_network(1), stripped = strip_weights(n);
  ASSERT_EQ(n.nodes.size(), stripped.nodes.size());
  for (std::size_t i = 0; i < n.nodes.size(); ++i) {
    EXPECT_EQ(n.nodes[i].shape, stripped.nodes[i].shape);
    EXPECT_EQ(n.nodes[i].inputs, stripped.nodes[i].inputs);
    if (const auto* linear = std::get_if<QLinear>(&stripped.nodes[i].op)) {
      EXPECT_EQ(linear->weights.capacity(), 0U);
      EXPECT_EQ(linear->bias.capacity(), 0U);
    }
  }
}

TEST(Validate, RejectsEveryMutation) {
  using Mutation = std::function<void(QuantisedNetwork&)>;
  const Mutation mutations[] = {
      [](auto& n) { n.nodes.clear(); },
      [](auto& n) { n.nodes[0].op = QConcat{}; },
      [](auto& n) { n.nodes[2].op = QInput{}; },
      [](auto& n) { n.nodes[1].inputs = {1}; },
      [](auto& n) { n.nodes[1].inputs = {-1}; },
      [](auto& n) { n.nodes[1].inputs = {1000000}; },
      [](auto& n) { n.nodes[1].inputs = {}; },
      [](auto& n) {
        n.nodes[1].inputs = {0, 0};
      },
      [](auto& n) { n.nodes[1].name = n.nodes[0].name; },
      [](auto& n) { n.nodes[1].name = ""; },
      [](auto& n) { n.nodes[1].name = std::string(5000, 'x'); },
      [](auto& n) { n.nodes[1].shape.c = 0; },
      [](auto& n) { n.nodes[1].shape.c = -5; },
      [](auto& n) { n.nodes[1].shape.h += 1; },
      [](auto& n) { n.nodes[0].shape.c = 1 << 30; },
      [](auto& n) {
        n.nodes[0].shape = {1 << 14, 1 << 14, 1 << 14};
      },
      [](auto& n) { n.nodes[1].scale = 0; },
      [](auto& n) { n.nodes[1].scale = -1; },
      [](auto& n) { n.nodes[1].scale = std::numeric_limits<double>::quiet_NaN(); },
      [](auto& n) { n.nodes[1].scale = std::numeric_limits<double>::infinity(); },
      [](auto& n) { n.nodes[1].scale *= 1.5; },
      [](auto& n) { n.nodes[0].low = std::int64_t{-1} << 40; },
      [](auto& n) { std::swap(n.nodes[0].low, n.nodes[0].high); },
      [](auto& n) { n.nodes[0].high += 1; },
      [](auto& n) { n.nodes[1].high -= 1; },
      [](auto& n) { n.nodes[1].low += 1; },
      [](auto& n) { node_of(n, "concat").scale *= 2; },
      [](auto& n) { node_of(n, "concat").shape.c += 1; },
      [](auto& n) { node_of(n, "gather").scale *= 2; },
      [](auto& n) { op_of<QLinear>(n, "conv1").weights.pop_back(); },
      [](auto& n) { op_of<QLinear>(n, "conv1").weights.clear(); },
      [](auto& n) { op_of<QLinear>(n, "conv1").weights[0] = INT16_MIN; },
      [](auto& n) { op_of<QLinear>(n, "conv1").bias.push_back(0); },
      [](auto& n) { op_of<QLinear>(n, "conv1").bias[0] = INT64_MIN; },
      [](auto& n) { op_of<QLinear>(n, "conv1").bias = {}, op_of<QLinear>(n, "conv1").weights = {}; },
      [](auto& n) { op_of<QLinear>(n, "conv1").groups = 0; },
      [](auto& n) { op_of<QLinear>(n, "conv1").groups = 7; },
      [](auto& n) { op_of<QLinear>(n, "conv1").in_shape.h += 1; },
      [](auto& n) { op_of<QLinear>(n, "conv1").window.stride_h = 0; },
      [](auto& n) { op_of<QLinear>(n, "conv1").window.kernel_h = 0; },
      [](auto& n) { op_of<QLinear>(n, "conv1").window.kernel_w = 1 << 30; },
      [](auto& n) { op_of<QLinear>(n, "conv1").window.pad.top = -1; },
      [](auto& n) { op_of<QLinear>(n, "conv1").window.pad.right = 3; },
      [](auto& n) { op_of<QLinear>(n, "conv1").window.pad.left = INT32_MAX; },
      [](auto& n) { op_of<QActivation>(n, "relu1").shift = -1; },
      [](auto& n) { op_of<QActivation>(n, "relu1").shift = 64; },
      [](auto& n) { op_of<QActivation>(n, "relu1").shift = 6; },
      [](auto& n) { op_of<QActivation>(n, "relu1").bits = 0; },
      [](auto& n) { op_of<QActivation>(n, "relu1").bits = 64; },
      [](auto& n) { op_of<QActivation>(n, "relu1").low = INT64_MIN; },
      [](auto& n) { op_of<QActivation>(n, "relu1").has_pool = !op_of<QActivation>(n, "relu1").has_pool; },
      [](auto& n) { op_of<QAdd>(n, "add").multiplier.pop_back(); },
      [](auto& n) { op_of<QAdd>(n, "add").multiplier[0] = 0; },
      [](auto& n) { op_of<QAdd>(n, "add").multiplier[1] = -1; },
      [](auto& n) { op_of<QAdd>(n, "add").multiplier[1] = INT64_MAX; },
      [](auto& n) { op_of<QGather>(n, "gather").index[0] = -2; },
      [](auto& n) { op_of<QGather>(n, "gather").index[0] = 1 << 30; },
      [](auto& n) { op_of<QGather>(n, "gather").index.pop_back(); },
      [](auto& n) { op_of<QSumPool>(n, "sum_pool").window.pad.top = 3; },
      [](auto& n) { op_of<QSumPool>(n, "sum_pool").window.stride_w = -1; },
      [](auto& n) { op_of<QQuadratic>(n, "square").post_shift = 32; },
      [](auto& n) { op_of<QQuadratic>(n, "square").c1 = INT64_MAX; },
      [](auto& n) { op_of<QQuadratic>(n, "square").shift = -1; },
      [](auto& n) { n.nodes.back().inputs = {0}; },
  };
  for (std::size_t m = 0; m < std::size(mutations); ++m) {
    QuantisedNetwork n = random_network(4);
    mutations[m](n);
    EXPECT_THROW(validate(n), Error) << "mutation " << m;
  }
}

TEST(Validate, ChecksStrippedNetworksAsFarAsItCan) {
  QuantisedNetwork n = strip_weights(random_network(2));
  node_of(n, "conv1").high += 1;  // cannot be known without weights
  EXPECT_NO_THROW(validate(n));
  node_of(n, "add").high += 1;  // follows from the inputs
  EXPECT_THROW(validate(n), Error);
}

TEST(Validate, NamesTheNode) {
  QuantisedNetwork n = random_network(2);
  op_of<QAdd>(n, "add").multiplier[0] = 0;
  try {
    validate(n);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("'add' (add): a multiplier"), std::string::npos) << e.what();
    EXPECT_EQ(e.code(), ErrorCode::input);
  }
}

TEST(OpName, NamesEveryOperation) {
  EXPECT_STREQ(op_name(QOp(QInput{})), "input");
  EXPECT_STREQ(op_name(QOp(QLinear{})), "linear");
  EXPECT_STREQ(op_name(QOp(QSumPool{})), "sum_pool");
  EXPECT_STREQ(op_name(QOp(QQuadratic{})), "quadratic");
}

}  // namespace
}  // namespace ap::nn
