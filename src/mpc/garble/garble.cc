#include "mpc/garble/garble.h"

#include <algorithm>
#include <array>

#include "base/bits.h"
#include "base/declassify.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/wipe_objects.h"
#include "mpc/core/hash.h"
#include "mpc/core/packed_field.h"
#include "mpc/garble/clamp_gate.h"
#include "mpc/garble/field_word.h"
#include "security/symmetric.h"

namespace ap::mpc {
namespace {

/// Chunks of kGarbleLanes instances that one task handles: whole keys.
constexpr std::size_t kChunksPerTask = 16;
static_assert(kChunksPerTask * kGarbleLanes % kInstancesPerKey == 0);

using Lanes = std::array<Block, kGarbleLanes>;

std::uint64_t word_mask(int bits) { return (std::uint64_t{1} << bits) - 1; }

/// One of two words by a secret bit, without a branch.
std::uint64_t select(std::uint64_t bit, std::uint64_t zero, std::uint64_t one) {
  return zero ^ ((zero ^ one) & (0 - bit));
}

/// What both sides know about a batch; hands out keys, tweaks and wires for the chunk at `first`.
class Chunk {
 public:
  Chunk(const Circuit& circuit, const HashKeys& keys, std::uint64_t tweak, std::size_t instances)
      : circuit_(circuit),
        keys_(keys),
        pi_(keys.at(tweak)),
        tweak_(tweak),
        instances_(instances),
        wires_(circuit.wires() * kGarbleLanes) {}

  void start(std::size_t first, std::span<const Block> inputs) {
    // The tweak of the first gate and instance names the key: no other batch of the session has it.
    if (first % kInstancesPerKey == 0) pi_ = keys_.at(tweak_ + first);
    first_ = first;
    lanes_ = std::min(kGarbleLanes, instances_ - first);
    slot_ = 0;
    for (std::uint32_t w = 0; w < circuit_.inputs; ++w) {
      Block* to = wire(w);
      const Block* from = inputs.data() + first * circuit_.inputs + w;
      for (std::size_t i = 0; i < lanes_; ++i) to[i] = from[i * circuit_.inputs];
    }
  }

  void finish(std::span<Block> outputs) {
    const std::size_t width = circuit_.outputs.size();
    for (std::size_t k = 0; k < width; ++k) {
      const Block* from = wire(circuit_.outputs[k]);
      Block* to = outputs.data() + first_ * width + k;
      for (std::size_t i = 0; i < lanes_; ++i) to[i * width] = from[i];
    }
  }

  Block* wire(Wire w) { return wires_.data() + w * kGarbleLanes; }
  /// The tweak of the next gate's first lane; tweaks of one gate are consecutive over the batch's instances.
  std::uint64_t next_tweak() { return tweak_ + slot_++ * instances_ + first_; }
  /// The tweaks of all gates from here on.
  TweakSlots tweak_slots() const { return {tweak_ + slot_ * instances_ + first_, instances_}; }
  const Permutation& pi() const { return pi_; }
  std::size_t lanes() const { return lanes_; }
  std::size_t first() const { return first_; }

 private:
  const Circuit& circuit_;
  const HashKeys& keys_;
  Permutation pi_;
  std::uint64_t tweak_;
  std::size_t instances_;
  std::size_t first_ = 0;
  std::size_t lanes_ = 0;
  std::uint64_t slot_ = 0;
  SecretVector<Block> wires_;
};

class ChunkGarbler {
 public:
  ChunkGarbler(const Circuit& circuit, const HashKeys& keys, const Block& delta, std::uint64_t tweak,
               std::size_t instances)
      : circuit_(circuit), delta_(delta), chunk_(circuit, keys, tweak, instances) {}
  ~ChunkGarbler() { wipe_objects(delta_, h_, left_, right_, offset_, rest_, rows_); }
  ChunkGarbler(const ChunkGarbler&) = delete;
  ChunkGarbler& operator=(const ChunkGarbler&) = delete;

  void run(std::size_t first, std::span<const Block> inputs, std::span<const std::uint64_t> known,
           std::span<const std::uint64_t> masks, std::span<Block> outputs, std::uint8_t* out) {
    chunk_.start(first, inputs);
    n_ = chunk_.lanes();
    known_ = known.empty() ? nullptr : known.data() + first * circuit_.known_words();
    out_ = out;
    for (std::size_t g = 0; g < circuit_.gates.size(); ++g) {
      gate(circuit_.gates[g], chunk_.wire(circuit_.inputs + static_cast<Wire>(g)));
    }
    if (circuit_.has_clamp()) {
      garble_clamp(circuit_.clamp_gate, circuit_.word_bits, chunk_.pi(), delta_, chunk_.wire(0), n_, known_,
                   masks.data() + first, chunk_.tweak_slots(), out_);
    } else if (circuit_.word_modulus != 0) {
      garble_field_word(circuit_, chunk_.pi(), delta_, chunk_.wire(0), n_, masks.data() + first,
                        chunk_.tweak_slots(), out_);
    } else if (circuit_.word_bits > 0) {
      for (std::size_t i = 0; i < n_; ++i) rest_[i] = 0 - masks[first + i];
      for (const WordGate& word : circuit_.word_gates) word_gate(word);
      final_gate(circuit_.final_gate);
    }
    chunk_.finish(outputs);
  }

 private:
  /// R where the known bit is set, else 0.
  void known_offsets(std::uint32_t k, Lanes& offset) const {
    const std::size_t words = circuit_.known_words();
    for (std::size_t i = 0; i < n_; ++i)
      offset[i] = mask_of((known_[i * words + k / 64] >> (k % 64)) & 1) & delta_;
  }

  void gate(const Gate& gate, Block* result) {
    const Block* x = chunk_.wire(gate.x);
    const Block* y = chunk_.wire(gate.y);
    switch (gate.kind) {
      case GateKind::xor_wires:
        for (std::size_t i = 0; i < n_; ++i) result[i] = x[i] ^ y[i];
        break;
      case GateKind::not_wire:
        for (std::size_t i = 0; i < n_; ++i) result[i] = x[i] ^ delta_;
        break;
      case GateKind::xor_known:
        known_offsets(gate.known, offset_);
        for (std::size_t i = 0; i < n_; ++i) result[i] = x[i] ^ offset_[i];
        break;
      case GateKind::and_known:
        known_offsets(gate.known, offset_);
        and_known(x, offset_, result);
        break;
      case GateKind::and_wires:
        and_wires(x, y, result);
        break;
      case GateKind::majority_known:
        known_offsets(gate.known, offset_);
        for (std::size_t i = 0; i < n_; ++i) left_[i] = x[i] ^ offset_[i];
        for (std::size_t i = 0; i < n_; ++i) right_[i] = y[i] ^ offset_[i];
        and_wires(left_.data(), right_.data(), result);
        for (std::size_t i = 0; i < n_; ++i) result[i] ^= offset_[i];
        break;
    }
  }

  /// H(x0) and H(x0 xor R) of one wire.
  void hash_both(const Block* x, std::uint64_t tweak, Lanes& zero, Lanes& one) {
    for (std::size_t i = 0; i < n_; ++i) one[i] = x[i] ^ delta_;
    chunk_.pi().hash(x, tweak, zero.data(), n_);
    chunk_.pi().hash(one.data(), tweak, one.data(), n_);
  }

  void and_wires(const Block* x, const Block* y, Block* result) {
    hash_both(x, chunk_.next_tweak(), h_[0], h_[1]);
    hash_both(y, chunk_.next_tweak(), h_[2], h_[3]);
    for (std::size_t i = 0; i < n_; ++i) {
      const Block generator = h_[0][i] ^ h_[1][i] ^ (low_bit_mask(y[i]) & delta_);
      const Block evaluator = h_[2][i] ^ h_[3][i];  // times y; the ciphertext also carries x
      store_block(out_ + 32 * i, generator);
      store_block(out_ + 32 * i + 16, evaluator ^ x[i]);
      result[i] = h_[0][i] ^ (low_bit_mask(x[i]) & generator) ^ h_[2][i] ^ (low_bit_mask(y[i]) & evaluator);
    }
    out_ += 32 * n_;
  }

  void and_known(const Block* x, const Lanes& offset, Block* result) {
    hash_both(x, chunk_.next_tweak(), h_[0], h_[1]);
    for (std::size_t i = 0; i < n_; ++i) {
      const Block generator = h_[0][i] ^ h_[1][i] ^ offset[i];
      store_block(out_ + 16 * i, generator);
      result[i] = h_[0][i] ^ (low_bit_mask(x[i]) & generator);
    }
    out_ += 16 * n_;
  }

  void put_rows(std::size_t count, int bits) {
    const std::size_t bytes = packed_bytes(count, bits);
    pack_bits(std::span(rows_).first(count), bits, {out_, bytes});
    out_ += bytes;
  }

  void word_gate(const WordGate& gate) {
    const Block* x = chunk_.wire(gate.x);
    const Block* y = chunk_.wire(gate.y);
    hash_row_keys(chunk_.pi(), x, y, delta_, chunk_.next_tweak(), n_, h_);
    for (std::size_t i = 0; i < n_; ++i) {
      const std::uint64_t p = low_bit(x[i]);
      const std::uint64_t q = low_bit(y[i]);
      const std::uint64_t rho = h_[0][i].lo - (p & q);
      rest_[i] -= rho << gate.shift;
      rows_[3 * i] = h_[1][i].lo ^ (rho + (p & (q ^ 1)));
      rows_[3 * i + 1] = h_[2][i].lo ^ (rho + ((p ^ 1) & q));
      rows_[3 * i + 2] = h_[3][i].lo ^ (rho + ((p ^ 1) & (q ^ 1)));
    }
    put_rows(3 * n_, circuit_.word_bits - gate.shift);
  }

  void final_gate(const FinalGate& gate) {
    const Block* x = chunk_.wire(gate.x);
    const Block* y = chunk_.wire(gate.y);
    hash_row_keys(chunk_.pi(), x, y, delta_, chunk_.next_tweak(), n_, h_);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::uint64_t row = 0; row < 4; ++row) {
        const std::uint64_t a = low_bit(x[i]) ^ (row >> 1);
        const std::uint64_t b = low_bit(y[i]) ^ (row & 1);
        const std::uint64_t value =
            select(a, select(b, gate.value[0], gate.value[1]), select(b, gate.value[2], gate.value[3]));
        rows_[4 * i + row] = h_[row][i].lo ^ (value + rest_[i]);
      }
    }
    put_rows(4 * n_, circuit_.word_bits);
  }

  const Circuit& circuit_;
  Block delta_;
  Chunk chunk_;
  std::size_t n_ = 0;
  const std::uint64_t* known_ = nullptr;
  std::uint8_t* out_ = nullptr;
  std::array<Lanes, 4> h_;
  Lanes left_;
  Lanes right_;
  Lanes offset_;                                    ///< of a known bit
  std::array<std::uint64_t, kGarbleLanes> rest_{};  ///< what the final piece still has to take away
  std::array<std::uint64_t, 4 * kGarbleLanes> rows_{};
};

class ChunkEvaluator {
 public:
  ChunkEvaluator(const Circuit& circuit, const HashKeys& keys, std::uint64_t tweak, std::size_t instances)
      : circuit_(circuit), chunk_(circuit, keys, tweak, instances) {}

  void run(std::size_t first, std::span<const Block> inputs, std::span<const std::uint64_t> clear,
           std::span<const std::uint8_t> garbled, std::span<Block> outputs, std::span<std::uint64_t> words) {
    chunk_.start(first, inputs);
    n_ = chunk_.lanes();
    in_ = garbled;
    for (std::size_t g = 0; g < circuit_.gates.size(); ++g) {
      gate(circuit_.gates[g], chunk_.wire(circuit_.inputs + static_cast<Wire>(g)));
    }
    if (circuit_.has_clamp()) {
      evaluate_clamp(circuit_.clamp_gate, circuit_.word_bits, chunk_.pi(), chunk_.wire(0), n_,
                     clear.data() + first, chunk_.tweak_slots(), in_, words.data() + first);
    } else if (circuit_.word_modulus != 0) {
      evaluate_field_word(circuit_, chunk_.pi(), chunk_.wire(0), n_, chunk_.tweak_slots(), in_,
                          words.data() + first);
    } else if (circuit_.word_bits > 0) {
      std::fill(sum_.begin(), sum_.end(), 0);
      for (const WordGate& word : circuit_.word_gates) {
        pieces(word.x, word.y, 3, circuit_.word_bits - word.shift);
        for (std::size_t i = 0; i < n_; ++i) sum_[i] += piece_[i] << word.shift;
      }
      pieces(circuit_.final_gate.x, circuit_.final_gate.y, 4, circuit_.word_bits);
      const std::uint64_t mask = word_mask(circuit_.word_bits);
      for (std::size_t i = 0; i < n_; ++i) words[first + i] = (sum_[i] + piece_[i]) & mask;
    }
    chunk_.finish(outputs);
  }

 private:
  void gate(const Gate& gate, Block* result) {
    const Block* x = chunk_.wire(gate.x);
    const Block* y = chunk_.wire(gate.y);
    switch (gate.kind) {
      case GateKind::xor_wires:
        for (std::size_t i = 0; i < n_; ++i) result[i] = x[i] ^ y[i];
        break;
      case GateKind::not_wire:
      case GateKind::xor_known:
        std::copy_n(x, n_, result);
        break;
      case GateKind::and_known:
        chunk_.pi().hash(x, chunk_.next_tweak(), h_[0].data(), n_);
        for (std::size_t i = 0; i < n_; ++i) {
          result[i] = h_[0][i] ^ (low_bit_mask(x[i]) & load_block(in_.data() + 16 * i));
        }
        in_ = in_.subspan(16 * n_);
        break;
      case GateKind::and_wires:
      case GateKind::majority_known:
        chunk_.pi().hash(x, chunk_.next_tweak(), h_[0].data(), n_);
        chunk_.pi().hash(y, chunk_.next_tweak(), h_[1].data(), n_);
        for (std::size_t i = 0; i < n_; ++i) {
          const Block generator = load_block(in_.data() + 32 * i);
          const Block evaluator = load_block(in_.data() + 32 * i + 16);
          result[i] = h_[0][i] ^ (low_bit_mask(x[i]) & generator) ^ h_[1][i] ^
                      (low_bit_mask(y[i]) & (evaluator ^ x[i]));
        }
        in_ = in_.subspan(32 * n_);
        break;
    }
  }

  /// Opens one row a lane. The visible bits are the evaluator's own to see, and uniform whatever the values are: using
  /// them as an index is no leak.
  void pieces(Wire wx, Wire wy, std::size_t rows, int bits) {
    const Block* x = chunk_.wire(wx);
    const Block* y = chunk_.wire(wy);
    for (std::size_t i = 0; i < n_; ++i) h_[0][i] = x[i] ^ sigma(y[i]);
    chunk_.pi().hash(h_[0].data(), chunk_.next_tweak(), h_[0].data(), n_);
    const auto width = static_cast<std::size_t>(bits);
    const std::size_t unsent = 4 - rows;
    for (std::size_t i = 0; i < n_; ++i) {
      std::size_t row = 2 * low_bit(x[i]) + low_bit(y[i]);
      declassify(row);
      const std::uint64_t sent = packed_field(in_, (rows * i + std::max(row, unsent) - unsent) * width, bits);
      piece_[i] = (h_[0][i].lo ^ (row < unsent ? 0 : sent)) & word_mask(bits);
    }
    in_ = in_.subspan(packed_bytes(rows * n_, bits));
  }

  const Circuit& circuit_;
  Chunk chunk_;
  std::size_t n_ = 0;
  std::span<const std::uint8_t> in_;
  std::array<Lanes, 2> h_;
  std::array<std::uint64_t, kGarbleLanes> piece_{};
  std::array<std::uint64_t, kGarbleLanes> sum_{};
};

/// Calls body(first chunk's instance, last) for every task's range of instances.
template <typename Body>
void for_ranges(std::size_t instances, const Body& body) {
  constexpr std::size_t kPerTask = kChunksPerTask * kGarbleLanes;
  parallel_for((instances + kPerTask - 1) / kPerTask,
               [&](std::size_t task) { body(task * kPerTask, std::min(instances, (task + 1) * kPerTask)); });
}

}  // namespace

std::size_t hidden_hashes(const Circuit& circuit) {
  // Half-gates hide one hash a tweak, gates with two wires two more, a clamp gate one for each closed row.
  const std::size_t rows = circuit.has_clamp() ? std::size_t{2} << circuit.clamp_gate.high_bits : 0;
  return static_cast<std::size_t>(circuit.tweaks()) + 2 * (circuit.word_gates.size() + 1) + rows;
}

void garble(const Circuit& circuit, const HashKeys& keys, const Block& delta, std::uint64_t tweak,
            std::size_t instances, std::span<const Block> inputs, std::span<const std::uint64_t> known,
            std::span<const std::uint64_t> masks, std::span<Block> outputs, std::span<std::uint8_t> garbled) {
  circuit.check();
  AP_ASSERT(static_cast<double>(hidden_hashes(circuit) * std::min(instances, kInstancesPerKey)) <=
            security::kMaxHashesPerKey);
  AP_ASSERT(low_bit(delta) == 1);
  AP_ASSERT(inputs.size() == instances * circuit.inputs);
  AP_ASSERT(known.size() == instances * circuit.known_words());
  AP_ASSERT(masks.size() == (circuit.word_bits > 0 ? instances : 0));
  AP_ASSERT(outputs.size() == instances * circuit.outputs.size());
  AP_ASSERT(garbled.size() == circuit.garbled_bytes(instances));
  const std::size_t chunk_bytes = circuit.garbled_bytes(kGarbleLanes);
  for_ranges(instances, [&](std::size_t begin, std::size_t end) {
    ChunkGarbler garbler(circuit, keys, delta, tweak, instances);
    for (std::size_t at = begin; at < end; at += kGarbleLanes) {
      garbler.run(at, inputs, known, masks, outputs, garbled.data() + at / kGarbleLanes * chunk_bytes);
    }
  });
}

void evaluate(const Circuit& circuit, const HashKeys& keys, std::uint64_t tweak, std::size_t instances,
              std::span<const Block> inputs, std::span<const std::uint64_t> clear,
              std::span<const std::uint8_t> garbled, std::span<Block> outputs,
              std::span<std::uint64_t> words) {
  circuit.check();
  AP_ASSERT(inputs.size() == instances * circuit.inputs);
  AP_ASSERT(garbled.size() == circuit.garbled_bytes(instances));
  AP_ASSERT(outputs.size() == instances * circuit.outputs.size());
  AP_ASSERT(words.size() == (circuit.word_bits > 0 ? instances : 0));
  AP_ASSERT(clear.size() == (circuit.has_clamp() ? instances : 0));
  const std::size_t chunk_bytes = circuit.garbled_bytes(kGarbleLanes);
  for_ranges(instances, [&](std::size_t begin, std::size_t end) {
    ChunkEvaluator evaluator(circuit, keys, tweak, instances);
    for (std::size_t at = begin; at < end; at += kGarbleLanes) {
      evaluator.run(at, inputs, clear, garbled.subspan(at / kGarbleLanes * chunk_bytes), outputs, words);
    }
  });
}

}  // namespace ap::mpc
