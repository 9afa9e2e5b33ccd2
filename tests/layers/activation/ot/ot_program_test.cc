#include "layers/activation/ot/ot_program.h"

#include <gtest/gtest.h>

#include <vector>

namespace ap::activation {
namespace {

bool leaf_value(LeafOutput output, int width, std::uint64_t x, std::uint64_t y, std::uint64_t negated) {
  const std::uint64_t size = std::uint64_t{1} << width;
  switch (output) {
    case LeafOutput::generate:
      return x + y >= size;
    case LeafOutput::propagate:
      return x + y == size - 1;
    case LeafOutput::zero:
      return x == negated;
    case LeafOutput::nonnegative:
      return (x + y) % size < size / 2;
    case LeafOutput::sign_sensitive:
      return ((x + y) % size < size / 2) != ((x + y + 1) % size < size / 2);
  }
  return false;
}

/// The program in the clear: values of all variables.
std::vector<bool> evaluate(const ComparisonProgram& program, std::uint64_t x, std::uint64_t y) {
  std::vector<bool> v(static_cast<std::size_t>(program.variables));
  const auto at = [&](int variable) { return v[static_cast<std::size_t>(variable)]; };
  const std::uint64_t negated = (0 - (y >> program.high_shift)) << program.high_shift;
  for (const Leaf& leaf : program.leaves) {
    const auto digit = [&](std::uint64_t word) { return (word >> leaf.shift) & ((1U << leaf.width) - 1); };
    for (std::size_t o = 0; o < leaf.outputs.size(); ++o) {
      v[static_cast<std::size_t>(leaf.first) + o] =
          leaf_value(leaf.outputs[o], leaf.width, digit(x), digit(y), digit(negated));
    }
  }
  for (const LocalBit& local : program.locals) {
    v[static_cast<std::size_t>(local.out)] = (((x ^ y) >> local.shift) & 1) == 0;
  }
  for (int level = 0; level <= program.levels; ++level) {
    for (const AndStep& step : program.ands) {
      if (step.level != level) continue;
      for (std::size_t i = 0; i < step.y.size(); ++i) {
        v[static_cast<std::size_t>(step.out) + i] = at(step.x) && at(step.y[i]);
      }
    }
    for (const XorStep& step : program.xors) {
      if (step.level == level) v[static_cast<std::size_t>(step.out)] = at(step.x) != at(step.y);
    }
  }
  return v;
}

TEST(OtProgram, ResultsAreTheirDefinitionsOnEveryPair) {
  for (int guard = 0; guard <= 2; ++guard) {
    for (int low = 1; low <= 4; ++low) {
      for (int high = 1; guard + low + high <= 8 && high <= 6; ++high) {
        for (int digit = 1; digit <= 4; ++digit) {
          const ComparisonProgram program = comparison_program(guard, low, high, digit, true);
          const std::uint64_t modulus = std::uint64_t{1} << program.bits;
          for (std::uint64_t x = 0; x < modulus; ++x) {
            for (std::uint64_t y = 0; y < modulus; ++y) {
              const std::vector<bool> v = evaluate(program, x, y);
              const auto result = [&](int variable) {
                return variable >= 0 && v[static_cast<std::size_t>(variable)];
              };
              const std::uint64_t sum = (x + y) % modulus;
              const bool negative = sum >= modulus / 2;
              const bool in_range = !negative && (sum >> (guard + low)) == 0;
              const std::uint64_t low_mask = (std::uint64_t{1} << (guard + low)) - 1;
              const std::uint64_t guard_mask = (std::uint64_t{1} << guard) - 1;
              ASSERT_EQ(result(program.in_range), in_range);
              ASSERT_EQ(result(program.above), !negative && !in_range);
              ASSERT_EQ(result(program.wrapped), in_range && (x & low_mask) + (y & low_mask) > low_mask);
              ASSERT_EQ(result(program.carried),
                        in_range && (x & guard_mask) + (y & guard_mask) > guard_mask);
            }
          }
        }
      }
    }
  }
}

TEST(OtProgram, TreesAreShallow) {
  EXPECT_EQ(comparison_program(0, 8, 2, 4, true).levels, 2);
  EXPECT_EQ(comparison_program(2, 8, 4, 4, true).levels, 4);
  EXPECT_EQ(comparison_program(0, 36, 1, 2, false).levels, 5);
  EXPECT_EQ(comparison_program(0, 36, 1, 4, false).levels, 4);
}

}  // namespace
}  // namespace ap::activation
