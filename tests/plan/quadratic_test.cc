#include "plan/quadratic.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "planner/policies/select.h"
#include "random/prng.h"

namespace ap::plan {
namespace {

nn::QQuadratic delphi(int shift, int post_shift, std::int64_t low = -1) {
  nn::QQuadratic op;
  op.shift = shift;
  op.c0 = 4 << post_shift;
  op.c1 = std::int64_t{5} << (post_shift - 4);
  op.c2 = 1;
  op.post_shift = post_shift;
  op.low = low;
  return op;
}

std::uint64_t mask_of(int bits) { return (std::uint64_t{1} << bits) - 1; }
std::int64_t signed_of(std::uint64_t v, int bits) {
  return static_cast<std::int64_t>(v << (64 - bits)) >> (64 - bits);
}

// All that the two parties do to x, in the clear: t is one of its two roundings, and nothing wraps on the way
// to the clamp, at the ends of the range too.
TEST(QuadraticRings, HoldEveryValueOfTheRange) {
  Prng prng(Seed{3});
  const nn::Interval range{-3000, 2500};
  for (const auto& [shift, post] : {std::pair{0, 4}, {3, 0}, {3, 7}, {5, 4}, {6, 11}}) {
    for (const std::int64_t c2 : {1, 3, -4}) {
      for (const int guard : {0, 2, 16}) {
        nn::QQuadratic op = delphi(shift, std::max(post, 4));
        op.post_shift = post;
        op.c2 = c2;
        const QuadraticRings rings = quadratic_rings(op, range, guard);
        const Truncation &first = rings.argument, &second = rings.result;
        EXPECT_EQ(first.guard_bits, guard >= shift ? shift : 0);
        EXPECT_LE(second.guard_bits, post);
        for (std::int64_t x = range.low; x <= range.high; x += 1) {
          const std::uint64_t c = prng.next64() & mask_of(first.input_bits());
          const std::uint64_t s =
              static_cast<std::uint64_t>(x) - c + static_cast<std::uint64_t>(first.offset());
          const std::uint64_t shares =
              (c >> first.dropped_bits()) + ((s & mask_of(first.input_bits())) >> first.dropped_bits());
          const std::int64_t t =
              signed_of((shares >> first.guard_bits) & mask_of(first.sum_bits), first.sum_bits);
          // Modulo 2^sum_bits only, which may be narrower than t itself.
          const std::int64_t up = (x >> shift) + (shift > 0 ? 1 : 0);
          const auto same = [&](std::int64_t v) {
            return signed_of(static_cast<std::uint64_t>(v) & mask_of(first.sum_bits), first.sum_bits) == t;
          };
          ASSERT_TRUE(same(x >> shift) || same(up)) << x;
          const std::int64_t exact = same(x >> shift) ? x >> shift : up;
          const std::int64_t u = op.c0 + op.c1 * exact + op.c2 * exact * exact;
          const auto wrapped = static_cast<std::uint64_t>(op.c0 + op.c1 * t + op.c2 * t * t);
          ASSERT_EQ(
              signed_of(wrapped & mask_of(second.input_bits()), second.input_bits()),
              signed_of(static_cast<std::uint64_t>(u) & mask_of(second.input_bits()), second.input_bits()));
          const std::int64_t v = ((u + second.offset()) >> post) - op.low;
          ASSERT_GE(v - 1, -(std::int64_t{1} << (second.sum_bits - 1)));
          ASSERT_LT(v + 1, std::int64_t{1} << (second.sum_bits - 1));
        }
      }
    }
  }
}

/// input -> linear -> quadratic -> linear.
nn::QuantisedNetwork network(const nn::QQuadratic& op) {
  nn::QuantisedNetwork net;
  const auto linear = [](int in, int out, std::int16_t weight) {
    nn::QLinear l;
    l.in_shape = {in, 1, 1};
    l.weights.assign(static_cast<std::size_t>(in * out), weight);
    l.bias.assign(static_cast<std::size_t>(out), 0);
    return l;
  };
  net.nodes = {{"image", nn::QInput{}, {}, {4, 1, 1}, 1, -128, 127},
               {"first", linear(4, 6, 9), {0}, {6, 1, 1}, 1},
               {"square", op, {1}, {6, 1, 1}, 1},
               {"last", linear(6, 3, 5), {2}, {3, 1, 1}, 1}};
  nn::set_ranges(net, 4);
  return net;
}

TEST(Quadratic, AssignsModuliAndRefusesWhatIsTooWide) {
  const nn::QQuadratic op = delphi(4, 6);
  const nn::QuantisedNetwork net = network(op);
  const std::vector<int> bits = assign_moduli(net, 16);
  const QuadraticRings rings = quadratic_rings(op, {net.nodes[1].low, net.nodes[1].high}, 16);
  EXPECT_EQ(bits[1], rings.argument.input_bits());
  EXPECT_EQ(bits[2], bits[3]);
  nn::QQuadratic wide = op;
  wide.c2 = 1 << 24;
  nn::QuantisedNetwork huge = network(op);
  std::get<nn::QQuadratic>(huge.nodes[2].op) = wide;
  try {
    assign_moduli(huge, 16);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::input);
    EXPECT_NE(std::string(e.what()).find("square"), std::string::npos) << e.what();
  }
}

TEST(Quadratic, HostileChoicesAreRefused) {
  const nn::QuantisedNetwork net = network(delphi(4, 6));
  const Plan plan = select_exact(net);
  ASSERT_EQ(plan.activations.size(), 1u);
  EXPECT_EQ(plan.activations[0].protocol, "beaver");
  EXPECT_GT(plan.activations[0].predicted_bytes, 0u);
  EXPECT_NO_THROW(validate(plan, net));
  for (const auto& change : std::initializer_list<void (*)(ActivationChoice&)>{
           [](ActivationChoice& c) { c.protocol = "gc"; }, [](ActivationChoice& c) { c.protocol = "auto"; },
           [](ActivationChoice& c) { c.argument.shift = 3; },
           [](ActivationChoice& c) { c.argument.guard_bits = 5; },
           [](ActivationChoice& c) { c.argument.sum_bits -= 1; },
           [](ActivationChoice& c) { c.argument.sum_bits = 1 << 30; },
           [](ActivationChoice& c) { c.truncation.sum_bits = 41; },
           [](ActivationChoice& c) { c.truncation.sum_bits = 0; },
           [](ActivationChoice& c) { c.truncation.shift = 0; },
           [](ActivationChoice& c) { c.truncation.guard_bits = 7; },
           [](ActivationChoice& c) { c.truncation.guard_bits = -1; },
           [](ActivationChoice& c) { c.out_bits += 1; }, [](ActivationChoice& c) { c.node = 1; }}) {
    Plan bad = plan;
    change(bad.activations[0]);
    EXPECT_THROW(validate(bad, net), Error);
  }
}

TEST(Quadratic, ErrorStepIsTheInverseOfTheSlope) {
  nn::QQuadratic op = delphi(7, 11);  // slope at |t| = 1000: (5 * 128 + 2000) / 2^18 a unit of x
  EXPECT_NEAR(quadratic_error_step(op, {-1000 * 128, 500 * 128}), (1 << 18) / 2640.0, 2);
  // Where the clamp has long been reached the slope does not matter.
  EXPECT_GT(quadratic_error_step(op, {-(1 << 30), 1 << 30}), 40);
  op.c1 = op.c2 = 1LL << 40;
  EXPECT_EQ(quadratic_error_step(op, {-1000, 1000}), 1);
}

}  // namespace
}  // namespace ap::plan
