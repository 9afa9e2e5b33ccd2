// How the `ot` protocol cuts an activation layer into steps, and what they cost; both parties derive it from
// the spec. The protocol is described in layers/activation/ot/ot_activation.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "layers/activation/activation_spec.h"
#include "layers/activation/ot/ot_program.h"

namespace ap::activation {

/// A shared bit enters the result with a constant factor in Z_2^ring.
struct BitTerm {
  int variable = 0;
  std::uint64_t factor = 0;
  int shift = 0;  ///< the product of the two shares of the bit enters as a multiple of 2^shift..
  int width = 0;  ///< ..so this many bits of it are transferred; 0: none, the term is local
};

/// One comparison of every instance, and result = [in_range] * operand + sum of the terms, in Z_2^ring.
/// Without an operand (operand_bits = 0) the terms must be local.
struct OtStep {
  ComparisonProgram program;
  std::size_t count = 0;
  int operand_shift = 0;  ///< operand: these bits of the two parties' words, added
  int operand_bits = 0;
  int ring = 0;
  std::vector<BitTerm> terms;
};

/// values[(x + y) mod 2^index_bits] of every instance in Z_2^ring, x the server's and y the client's number.
struct LookupStep {
  std::size_t count = 0;
  int index_bits = 0;
  int value_bits = 0;
  int ring = 0;
  std::vector<std::uint16_t> values;
  std::vector<BitTerm> terms;  ///< by bit of the value; the variable is the bit's number
};

/// Bytes of one instance's masked entries: all but that of number 0, which is zero.
inline std::size_t lookup_message_bytes(const LookupStep& step) {
  return packed_bytes((std::size_t{1} << step.index_bits) - 1, step.value_bits);
}

/// From the clamped value in Z_2^word_bits to what its table has for it (layers/activation/table_spec.h).
struct TablePlan {
  int word_bits = 0;
  bool even = false;
  int cell_bits = 0;
  std::optional<OtStep> relu;   ///< the positive part of the value as a signed number, in a ring of its own
  std::optional<OtStep> carry;  ///< with cell_bits > 0: what the bits inside a cell carry, in Z_2^index_bits
  LookupStep lookup;
};

/// One level of the tournament: new value i = max(left[i], right[i]) by `step` on the differences.
struct PoolLevel {
  OtStep step;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;  ///< numbers of earlier values
};

struct OtPlan {
  OtStep clamp;                        ///< every input, clamped, in Z_2^ring; of an argmax its carry
  std::vector<PoolLevel> levels;       ///< values are numbered inputs first, then level by level
  std::vector<std::uint32_t> results;  ///< with pooling: the value of every output
  std::optional<SquareSpec> square;    ///< comes first ..
  std::optional<OtStep> carry;         ///< .. and what the carry of its guard bits changes
  std::optional<ProductSpec> product;  ///< comes first
  std::optional<TablePlan> table;      ///< comes last
  std::size_t inputs = 0;
  int share_bits = 0;
  int out_bits = 0;
  /// t of an argmax (else 0). Input i then becomes (x + 2^(n - 1)) 2^t - i in Z_2^(n + t + 1): the largest of
  /// these is that of the first of the largest x, and its low bits are minus its number.
  int index_bits = 0;

  /// Width of the words that the parties bring.
  int argument_bits() const {
    return square ? square->word_bits() : product ? product->value_bits : share_bits;
  }
  std::size_t arguments() const { return product ? product->arguments(inputs) : inputs; }
  bool needs_words_offline() const { return square || product; }
  std::size_t outputs() const { return results.empty() ? inputs : results.size(); }
  template <typename Body>
  void for_steps(const Body& body) const {
    body(clamp);
    for (const PoolLevel& level : levels) body(level.step);
    if (carry) body(*carry);
    if (table && table->relu) body(*table->relu);
    if (table && table->carry) body(*table->carry);
  }
};

/// Without an upper clamp the `ot` protocol takes clamp_bits up to this (any clamp_bits >= sum_bits - 1).
inline constexpr int kMaxOtClampBits = 40;

/// @throws Error(input) on a bad spec: the limits of ActivationSpec::validate, but clamp_bits up to 40.
OtPlan plan_ot_layer(const ActivationSpec& spec);

/// What a layer costs; every figure is a function of the spec alone. Offline bytes: mpc::cot_stream_bytes of
/// the sums over all layers of a session.
struct OtCost {
  std::uint64_t client_cots = 0;           ///< transfers with the client as sender, offline
  std::uint64_t server_cots = 0;           ///< transfers with the server as sender, offline
  std::uint64_t offline_bytes = 0;         ///< beside the transfers: factors of quadratics, client to server
  std::uint64_t client_bytes = 0;          ///< online payload, client to server
  std::uint64_t server_bytes = 0;          ///< online payload, server to client
  std::uint64_t client_preprocessing = 0;  ///< bytes of memory between the phases
  std::uint64_t server_preprocessing = 0;
  int one_way_messages = 0;  ///< one-way latencies of the online phase
  OtCost& operator+=(const OtCost& other);
};
OtCost ot_cost(const ActivationSpec& spec);
OtCost ot_cost(const OtPlan& plan);
/// The sum over the layers.
OtCost ot_cost(std::span<const ActivationSpec> specs);

}  // namespace ap::activation
