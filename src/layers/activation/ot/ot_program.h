// Comparison programs: straight-line programs over XOR-shared bits that turn two parties' words x (server)
// and y (client) into shared facts about s = (x + y) mod 2^N. The millionaires' tree of CrypTFlow2 (Rathee et
// al., eprint 2020/1002, algorithm 1) in the form of a carry tree:
//   leaves   1-of-2^w OTs on digits of w bits give shares of
//            generate   g = [x_d + y_d >= 2^w]
//            propagate  p = [x_d + y_d = 2^w - 1]
//   merges   (g, p) over (g', p') -> (g xor p g', p p')
// so that guard bits, clamp and sign share one tree. Write s = (h, l, guard) with the low part l of m bits.
//   zero     h = 0 without a carry from below <=> x_h = -y_h mod 2^|h|, digit by digit;
//            h = 0 with a carry <=> x_h = ~y_h, which is what propagation over all of h says
//   sign     from the top digit and the carry into it
#pragma once

#include <cstdint>
#include <vector>

namespace ap::activation {

/// What a leaf tells about its digit, as XOR shares.
enum class LeafOutput : std::uint8_t {
  generate,        ///< x + y >= 2^w
  propagate,       ///< x + y = 2^w - 1
  zero,            ///< x = the digit of -(the client's high part)
  nonnegative,     ///< the top bit of x + y is 0
  sign_sensitive,  ///< a carry from below changes the top bit of x + y
};

struct Leaf {
  int shift = 0;
  int width = 0;
  std::vector<LeafOutput> outputs;  ///< variables first.. in this order
  int first = 0;
};
/// Variable `out` = bit `shift` of x xor bit `shift` of y, xor 1: no interaction.
struct LocalBit {
  int shift = 0;
  int out = 0;
};
/// out + i = x and y[i].
struct AndStep {
  int x = 0;
  std::vector<int> y;
  int out = 0;
  int level = 0;  ///< first 1
};
struct XorStep {
  int x = 0;
  int y = 0;
  int out = 0;
  int level = 0;  ///< follows the AND steps of this level
};

struct ComparisonProgram {
  int bits = 0;        ///< N
  int high_shift = 0;  ///< where the high part starts
  std::vector<Leaf> leaves;
  std::vector<LocalBit> locals;
  std::vector<AndStep> ands;
  std::vector<XorStep> xors;
  int variables = 0;
  int levels = 0;

  // Results: variables, or -1 where the shape does not have them.
  int in_range = -1;  ///< 0 <= s / 2^guard < 2^m, signed
  int above = -1;     ///< s / 2^guard >= 2^m, signed
  int wrapped = -1;   ///< in_range, and the low parts of x and y (with the guard's carry) sum to 2^m or more
  int carried = -1;   ///< in_range, and the guard bits carry

  std::size_t leaf_choice_bits() const;
  std::size_t leaf_message_bits() const;
  /// Bits that each party reveals for the AND steps.
  std::size_t opened_bits() const;
};

/// Guard bits 0..8, low part of `low` >= 1 bits, high part of `high` >= 1 bits; digits of at most `digit`
/// bits (1..4). `wrapped` is left out unless wanted.
ComparisonProgram comparison_program(int guard, int low, int high, int digit, bool want_wrapped);

/// Only whether the lowest `bits` >= 1 bits of x and y carry, as `in_range`.
ComparisonProgram carry_program(int bits, int digit);

}  // namespace ap::activation
