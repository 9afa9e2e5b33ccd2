// Automorphisms of ciphertexts, X -> X^g, and the keys that bring them back under s. Which automorphism moves which
// slot is the scheme's matter; here are the group elements g, odd and below 2N.
#pragma once

#include <map>
#include <span>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/key_switch.h"
#include "he/rlwe/keys.h"
#include "ring/automorphism.h"

namespace ap::rlwe {

/// Keys for the automorphisms that a computation needs. Each key takes s to its inverse image, so that the
/// automorphism is applied last, to two polynomials, and a decomposition serves all automorphisms.
class GaloisKeys {
 public:
  /// Repetitions and the identity are left out; made on all cores. @throws Error(input) if one of `elements` is even
  /// or not below 2N.
  GaloisKeys(const SecretKey& key, std::span<const std::uint32_t> elements, Prng& prng);
  /// @throws Error(peer) unless `bytes` holds valid keys of exactly these elements.
  GaloisKeys(ContextPtr context, std::span<const std::uint32_t> elements, ByteView bytes);
  /// The keys one after another, by ascending element.
  Bytes serialise() const;
  static std::size_t serialised_bytes(const Context& context, std::span<const std::uint32_t> elements);

  struct Key {
    ring::Automorphism map;
    KeySwitchKey key;
  };
  /// @throws Error(input) if there is no key of that element.
  const Key& at(std::uint32_t element) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::map<std::uint32_t, Key> keys_;
};

/// An encryption under s of the message under the automorphism. x of degree 1 in NTT form.
Ciphertext apply_automorphism(const Ciphertext& x, std::uint32_t element, const GaloisKeys& keys);
/// Hoisted: `digits` is decompose(x), shared by several automorphisms of x. The same result bit for bit.
Ciphertext apply_automorphism(const Ciphertext& x, const Decomposition& digits, std::uint32_t element,
                              const GaloisKeys& keys);
/// Every polynomial of x under the automorphism, in either form: an encryption under the image of s.
Ciphertext automorphism_image(const Ciphertext& x, std::uint32_t element);

}  // namespace ap::rlwe
