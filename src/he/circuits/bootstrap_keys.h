// What a bootstrap needs keys of, planned from its parameters alone, and the keys.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "he/circuits/bootstrap_parameters.h"
#include "he/circuits/diagonal_matrix.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/key_switch.h"
#include "he/rlwe/mod_raise.h"

namespace ap::circuits {

/// The contexts of a parameter set, shared by whoever makes keys and whoever uses them. Immutable.
struct BootstrapContexts {
  explicit BootstrapContexts(const BootstrapParameters& parameters);
  rlwe::ContextPtr chain, bottom, lowest;
};

/// The matrices of a parameter set, first to last. Those to coefficients take real slots to the lower half of the
/// coefficients; those to slots give half of what they say, so that a value and its conjugate add up to the real part.
std::vector<DiagonalMatrix> matrices_down(const BootstrapParameters& parameters);
std::vector<DiagonalMatrix> matrices_up(const BootstrapParameters& parameters);

/// Galois elements, ascending, by the context that their keys are of.
struct BootstrapRotations {
  explicit BootstrapRotations(const BootstrapParameters& parameters);
  std::vector<std::uint32_t> chain, bottom;
};

/// Bytes of all keys: in memory (8 for each residue of both halves) and on the wire (packed, the uniform half a seed).
struct BootstrapKeyBytes {
  BootstrapKeyBytes(const BootstrapContexts& contexts, const BootstrapRotations& rotations);
  std::size_t memory = 0, wire = 0;
};

class BootstrapKeys {
 public:
  /// Of a secret of contexts.chain. The sparse secret is drawn here and wiped.
  BootstrapKeys(const BootstrapParameters& parameters, const BootstrapContexts& contexts,
                const rlwe::SecretKey& key, Prng& prng);
  /// @throws Error(peer) unless `bytes` holds exactly these keys, all valid.
  BootstrapKeys(const BootstrapParameters& parameters, const BootstrapContexts& contexts, ByteView bytes);
  /// Relinearisation, the two keys of ModRaise, Galois keys of the chain, Galois keys of the bottom.
  Bytes serialise() const;

  const rlwe::RelinearisationKey& relinearisation() const { return relinearisation_; }
  const rlwe::RaiseKeys& raise() const { return raise_; }
  const rlwe::GaloisKeys& chain() const { return chain_; }
  const rlwe::GaloisKeys& bottom() const { return bottom_; }

 private:
  struct Parts;
  BootstrapKeys(const BootstrapContexts& contexts, const BootstrapRotations& rotations, const Parts& parts);
  BootstrapKeys(const BootstrapContexts& contexts, const BootstrapRotations& rotations,
                const rlwe::SecretKey& key, std::size_t weight, Prng& prng);

  rlwe::RelinearisationKey relinearisation_;
  rlwe::RaiseKeys raise_;
  rlwe::GaloisKeys chain_, bottom_;
};

}  // namespace ap::circuits
