#include "protocol/hybrid/local_nodes.h"

#include <gtest/gtest.h>

#include "random/prng.h"

namespace ap::protocol {
namespace {

constexpr int kBits = 17;

Share random_share(std::size_t size) {
  Prng prng;
  Share share(size);
  sample_bits(prng, kBits, std::span<std::uint64_t>(share));
  return share;
}

Share run(const nn::QNode& node, const std::vector<Share>& inputs, const std::vector<nn::Shape>& shapes) {
  std::vector<ShareView> views(inputs.begin(), inputs.end());
  return apply_local(node, views, shapes, ShareModulus::power_of_two(kBits));
}

// What makes a node local: f(x) + f(y) = f(x + y) mod 2^k.
void expect_linear(const nn::QNode& node, const std::vector<nn::Shape>& shapes) {
  std::vector<Share> x, y, sum;
  for (const nn::Shape& s : shapes) {
    x.push_back(random_share(static_cast<std::size_t>(s.size())));
    y.push_back(random_share(static_cast<std::size_t>(s.size())));
    sum.push_back(x.back());
    for (std::size_t i = 0; i < sum.back().size(); ++i)
      sum.back()[i] = (sum.back()[i] + y.back()[i]) & low_mask(kBits);
  }
  const Share fx = run(node, x, shapes), fy = run(node, y, shapes), fsum = run(node, sum, shapes);
  for (std::size_t i = 0; i < fsum.size(); ++i) EXPECT_EQ((fx[i] + fy[i]) & low_mask(kBits), fsum[i]);
}

TEST(LocalNodes, AddAppliesItsMultipliers) {
  nn::QNode node;
  node.op = nn::QAdd{{3, 100}};
  node.shape = {2, 1, 1};
  EXPECT_EQ(run(node, {{1, 2}, {5, 7}}, {{2, 1, 1}, {2, 1, 1}}), (Share{503, 706}));
  expect_linear(node, {{2, 1, 1}, {2, 1, 1}});
}

TEST(LocalNodes, SumPoolTreatsPaddingAsZero) {
  nn::QNode node;
  nn::QSumPool op;
  op.window = {2, 2, 2, 2, {1, 1, 0, 0}};
  node.op = op;
  node.shape = {1, 2, 2};
  // 3x3 input, window 2x2, stride 2, padded at the top and left.
  EXPECT_EQ(run(node, {{1, 2, 3, 4, 5, 6, 7, 8, 9}}, {{1, 3, 3}}), (Share{1, 5, 11, 28}));
  expect_linear(node, {{1, 3, 3}});
}

TEST(LocalNodes, GatherReadsZeroForMinusOne) {
  nn::QNode node;
  node.op = nn::QGather{{2, -1, 0}};
  node.shape = {3, 1, 1};
  EXPECT_EQ(run(node, {{10, 11, 12}}, {{3, 1, 1}}), (Share{12, 0, 10}));
  expect_linear(node, {{3, 1, 1}});
}

TEST(LocalNodes, ConcatKeepsOrder) {
  nn::QNode node;
  node.op = nn::QConcat{};
  node.shape = {3, 1, 1};
  EXPECT_EQ(run(node, {{1}, {2, 3}}, {{1, 1, 1}, {2, 1, 1}}), (Share{1, 2, 3}));
}

// The same over a field: factors and sums are reduced, whatever their sign and size.
TEST(LocalNodes, SumsModuloAPrime) {
  const ShareModulus prime((std::uint64_t{1} << 40) - 87);
  nn::QNode node;
  node.op = nn::QAdd{{std::int64_t{1} << 30, 3}};
  node.shape = {1, 1, 1};
  const Share a{prime.value() - 1}, b{prime.value() - 2};
  const std::vector<ShareView> inputs{a, b};
  const std::vector<nn::Shape> shapes(2, {1, 1, 1});
  EXPECT_EQ(apply_local(node, inputs, shapes, prime), Share{prime.from_signed(-(std::int64_t{1} << 30) - 6)});
}

}  // namespace
}  // namespace ap::protocol
