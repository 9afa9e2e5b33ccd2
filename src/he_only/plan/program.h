// The whole computation as data: which primes there are, at which level, scale and in whose keys every step runs, and which
// keys a client makes. It follows from a network's structure, its polynomials and a few numbers (Choices), so that a package
// holds those, and who reads one computes the rest again instead of trusting it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "he/ckks/scale.h"
#include "he/rlwe/context.h"
#include "he_only/network/polynomial.h"
#include "he_only/plan/shape.h"

namespace ap::he_only {

/// The chain of primes of a network without bootstrapping: one prime at the bottom, then one a level.
struct Ring {
  std::uint32_t n = 0;
  int scale_bits = 0;       ///< of slots, and of the primes of levels
  int base_bits = 0;        ///< of the prime at the bottom
  std::size_t special = 0;  ///< special primes, which digits of key switching have as many of
  int special_bits = 0;
  std::string
      bootstrap;  ///< name of a set of circuits/bootstrap_parameters.h, which then says all of the above but
                  ///< `special`, here of the linear layers; empty: none
  std::size_t bootstrap_slots = 0;
};

/// What a slot stands for: value = factor * slot + shift.
struct View {
  double factor = 1, shift = 0;
};

/// What compile chooses, and packages hold.
struct Choices {
  Ring ring;
  std::vector<std::optional<Polynomial>> polynomials;  ///< by step, of activations
  std::vector<double> largest;   ///< by step: of linear steps and the input, what |value - shift| stays below
  std::uint64_t flood_step = 0;  ///< of the noise on every coefficient of an answer (random/wide_noise.h)
};

/// How one step runs. Levels are numbers of data primes.
struct ProgramStep {
  View view;
  ckks::Scale scale;          ///< of the result
  std::size_t from = 0;       ///< level that it runs at
  std::size_t level = 0;      ///< of its result, before a bootstrap
  std::size_t context = 0;    ///< in whose keys it runs, an index into Program::contexts
  bool bootstrapped = false;  ///< its result is, and has the bootstrap's levels then
};

/// Keys of one context.
struct ContextKeys {
  bool relinearisation = false;
  std::vector<std::uint32_t> elements;  ///< of rotations, ascending (he/rlwe/galois.h)
};

struct Program {
  /// Each has the first primes of one chain. The largest comes first; of a bootstrapped network that is the chain of the set,
  /// whose keys are not among `keys` but the bootstrap's.
  std::vector<rlwe::Parameters> contexts;
  std::vector<ContextKeys> keys;  ///< by context
  std::vector<ProgramStep> steps;
  std::size_t bootstraps = 0;
  std::size_t input_context = 0;  ///< what the client encrypts in, at all its primes

  /// log2 of Q P of each key that is published, the largest.
  double log2_qp() const;
};

/// Levels that the result of every step has to have, without bootstrapping; the first is that of the input. The last is 1.
std::vector<std::size_t> levels_of(const Structure& structure,
                                   const std::vector<std::optional<Polynomial>>& polynomials);

/// @throws Error(input) that names the layer if its polynomial takes more levels than there are, and what can be done.
Program make_program(const Structure& structure, const ShapedNetwork& shaped, const Choices& choices);

/// Of the keys, without those of a bootstrap: on the wire, and in memory.
struct KeyBytes {
  std::uint64_t wire = 0, memory = 0;
};
KeyBytes key_bytes(const Program& program);

}  // namespace ap::he_only
