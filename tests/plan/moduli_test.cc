#include "plan/moduli.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace ap::plan {
namespace {

nn::QNode node(const char* name, nn::QOp op, std::vector<int> inputs, std::int64_t low, std::int64_t high) {
  nn::QNode n;
  n.name = name;
  n.op = std::move(op);
  n.inputs = std::move(inputs);
  n.shape = {4, 1, 1};
  n.low = low;
  n.high = high;
  return n;
}

nn::QActivation relu8(int shift) {
  nn::QActivation a;
  a.shift = shift;
  return a;
}

TEST(SignedBits, HoldsTheRangeWithItsMargin) {
  EXPECT_EQ(signed_bits(-128, 127, 0), 8);
  EXPECT_EQ(signed_bits(-128, 127, 1), 9);
  EXPECT_EQ(signed_bits(-128, 128, 0), 9);
  EXPECT_EQ(signed_bits(0, 0, 0), 2);
  EXPECT_EQ(signed_bits(0, (1LL << 40) - 1, 0), 41);
}

TEST(AssignModuli, GivesATensorTheLargestNeedOfItsConsumers) {
  // input -> conv1 -> relu -> {conv2, add(shortcut)} -> relu -> conv3 = logits
  nn::QuantisedNetwork net;
  net.nodes = {node("input", nn::QInput{}, {}, -128, 127),
               node("conv1", nn::QLinear{}, {0}, -60000, 50000),
               node("relu1", relu8(7), {1}, 0, 255),
               node("conv2", nn::QLinear{}, {2}, -900000, 1000000),
               node("sum", nn::QAdd{{1, 128}}, {3, 2}, -900000, 1032640),
               node("relu2", relu8(9), {4}, 0, 255),
               node("fc", nn::QLinear{}, {5}, -5000, 3000)};
  const std::vector<int> bits = assign_moduli(net, 0);
  const int fc = 14;       // 5002 < 2^13
  const int sum = 9 + 13;  // 1032640 >> 9 = 2016, and 2 to spare: 12 bits; -900000 >> 9 = -1758
  EXPECT_EQ(bits[6], fc);
  EXPECT_EQ(bits[5], fc);
  EXPECT_EQ(bits[4], sum - 1);
  EXPECT_EQ(bits[3], bits[4]);
  EXPECT_EQ(bits[2], bits[4])
      << "the shortcut is added to accumulators, so it is shared as widely as they are";
  EXPECT_EQ(bits[1], bits[2] > 0 ? 7 + 10 : 0) << "-60000 >> 7 = -469";
  EXPECT_EQ(bits[0], bits[1]);
}

TEST(AssignModuli, RefusesWhatDoesNotFit) {
  nn::QuantisedNetwork net;
  net.nodes = {node("input", nn::QInput{}, {}, -128, 127),
               node("huge_layer", nn::QLinear{}, {0}, -(1LL << 45), 1LL << 45)};
  try {
    assign_moduli(net, 0);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::input);
    EXPECT_NE(std::string(e.what()).find("huge_layer"), std::string::npos);
  }
}

// The truncation that the parties run, on every pair of shares of every small value: never more than one off
// the rounding of the integer network, and unbiased on average.
TEST(Truncation, DeviatesByAtMostOneAndIsCentred) {
  for (int guard = 0; guard <= 4; ++guard) {
    Truncation t;
    t.sum_bits = 6;
    t.shift = 4;
    t.guard_bits = guard;
    const int k = t.input_bits();
    const std::int64_t mask = (1 << k) - 1;
    double total = 0;
    int count = 0, off = 0;
    for (std::int64_t x = -200; x < 200; ++x) {
      const std::int64_t reference = (x + 8) >> 4;
      for (std::int64_t client = 0; client <= mask; ++client) {
        const std::int64_t server = (x + t.offset() - client) & mask;
        const std::int64_t sum_mask = (1 << (t.sum_bits + guard)) - 1;
        std::int64_t sum = ((client >> t.dropped_bits()) + (server >> t.dropped_bits())) & sum_mask;
        sum >>= guard;
        const std::int64_t got = sum >= (1 << (t.sum_bits - 1)) ? sum - (1 << t.sum_bits) : sum;
        ASSERT_LE(std::abs(got - reference), 1) << x << " " << client;
        off += got != reference;
        total += static_cast<double>(got) - static_cast<double>(x) / 16;
        ++count;
      }
    }
    // Half a unit of x lies between the exact mean and what integer offsets can reach.
    EXPECT_LE(std::abs(total / count), 1.0 / 16) << guard;
    if (guard == t.shift) {
      EXPECT_EQ(off, 0);
    }
  }
}

}  // namespace
}  // namespace ap::plan
