#include "nonlinear/activation_spec.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "nonlinear/activation_reference.h"

namespace ap::nonlinear {
namespace {

TEST(ActivationSpec, CostsOfTheUsualRelu) {
  const ActivationSpec spec = plain_spec(1024, 13, 8, 18);
  EXPECT_EQ(and_gates(spec), 1024u * 7);
  // 15 blocks, a row of 18, 17 .. 11 bits each, 64 rows of 19 bits.
  EXPECT_EQ(table_bytes(spec), 1024u * 15 * 16 + 1024u * (116 + 64 * 19) / 8);
  EXPECT_EQ(label_bytes(spec), 1024u * 13 * 16);
  EXPECT_EQ(choice_bytes(spec), 1024u * 13 / 8);
  EXPECT_EQ(column_bytes(spec), 1024u * 13 * 4);
}

TEST(ActivationSpec, FieldsOutOfRangeAreRefused) {
  ActivationSpec pooled = plain_spec(4, 13, 8, 18);
  pooled.outputs = 2;
  pooled.pool_size = 2;
  pooled.windows = {0, 1, 2, 3};
  EXPECT_NO_THROW(pooled.validate());
  EXPECT_NO_THROW(plain_spec(1, 2, 1, 1).validate());
  EXPECT_NO_THROW(plain_spec(1, 40, 16, 40, 8).validate());
  const std::vector<std::function<void(ActivationSpec&)>> breaks = {
      [](auto& s) { s.inputs = 0; },        [](auto& s) { s.inputs = kMaxActivationInputs + 1; },
      [](auto& s) { s.outputs = 3; },       [](auto& s) { s.sum_bits = 1; },
      [](auto& s) { s.sum_bits = 41; },     [](auto& s) { s.guard_bits = -1; },
      [](auto& s) { s.guard_bits = 17; },    [](auto& s) { s.clamp_bits = 0; },
      [](auto& s) { s.clamp_bits = 17; },   [](auto& s) { s.out_bits = 7; },
      [](auto& s) { s.out_bits = 41; },     [](auto& s) { s.pool_size = 1; },
      [](auto& s) { s.pool_size = 65; },    [](auto& s) { s.windows[3] = 4; },
      [](auto& s) { s.windows.pop_back(); }};
  for (std::size_t i = 0; i < breaks.size(); ++i) {
    ActivationSpec broken = pooled;
    breaks[i](broken);
    try {
      broken.validate();
      ADD_FAILURE() << "case " << i << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input) << i;
    }
  }
}

}  // namespace
}  // namespace ap::nonlinear
