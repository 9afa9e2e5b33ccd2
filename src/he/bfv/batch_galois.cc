// Automorphisms, rotation keys and rotations (he/bfv/batch_scheme.h).
#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/parallel.h"
#include "base/sizes.h"
#include "he/bfv/batch_scheme.h"

namespace ap::bfv {
namespace {

// The distinct elements without the identity, checked to be automorphisms.
std::set<std::uint32_t> distinct(const BatchContext& context, std::span<const std::uint32_t> elements) {
  std::set<std::uint32_t> result;
  for (const std::uint32_t element : elements) {
    if (element % 2 == 0 || element >= 2 * context.n()) {
      fail_input("{} is no Galois element of degree {}: it must be odd and below {}", element, context.n(),
                 2 * context.n());
    }
    if (element != 1) result.insert(element);
  }
  return result;
}

// element^exponent modulo 2n.
std::uint32_t power(std::uint64_t element, std::size_t exponent, std::size_t n) {
  std::uint64_t result = 1;
  for (; exponent > 0; exponent >>= 1, element = element * element % (2 * n)) {
    if (exponent & 1) result = result * element % (2 * n);
  }
  return static_cast<std::uint32_t>(result);
}

// The inverse: the order of every element divides n/2.
std::uint32_t inverse_element(std::uint32_t element, std::size_t n) { return power(element, n / 2 - 1, n); }

KeySwitchKey make_key(const BatchSecretKey& key, std::uint32_t element, Prng& prng) {
  const BatchContext& context = *key.context;
  const std::size_t n = context.n();
  const ring::Automorphism map(n, inverse_element(element, n));
  SecretVector<std::uint64_t> image(key.s.size());
  for (std::size_t i = 0; i < context.data() + context.special(); ++i) {
    ring::elementwise().permute(key.s.data() + i * n, map, image.data() + i * n, n);
  }
  return {key.context, key.s, image, prng};
}

/// make(number, element) for all elements, by element; on all cores, since there may be hundreds.
template <typename Make>
std::map<std::uint32_t, GaloisKeys::Key> make_all(const std::set<std::uint32_t>& elements, const Make& make) {
  const std::vector<std::uint32_t> list(elements.begin(), elements.end());
  std::vector<std::optional<GaloisKeys::Key>> made(list.size());
  parallel_for(list.size(), [&](std::size_t i) { made[i].emplace(make(i, list[i])); });
  std::map<std::uint32_t, GaloisKeys::Key> keys;
  for (std::size_t i = 0; i < list.size(); ++i) keys.emplace(list[i], std::move(*made[i]));
  return keys;
}

}  // namespace

std::uint32_t rotation_element(const BatchContext& context, int step) {
  const auto columns = static_cast<int>(context.n() / 2);
  const int left = ((step % columns) + columns) % columns;
  return power(3, static_cast<std::size_t>(left), context.n());
}

std::uint32_t swap_element(const BatchContext& context) {
  return static_cast<std::uint32_t>(2 * context.n() - 1);
}

GaloisKeys::GaloisKeys(const BatchSecretKey& key, std::span<const std::uint32_t> elements, Prng& prng) {
  Seed seed;
  prng.fill(std::span<std::uint8_t>(seed));
  keys_ = make_all(distinct(*key.context, elements), [&](std::size_t i, std::uint32_t element) {
    Prng own(seed, i);
    return Key{ring::Automorphism(key.context->n(), element), make_key(key, element, own)};
  });
  wipe(seed.data(), seed.size());
}

GaloisKeys::GaloisKeys(BatchContextPtr context, std::span<const std::uint32_t> elements, ByteView bytes) {
  const std::set<std::uint32_t> wanted = distinct(*context, elements);
  const std::size_t each = KeySwitchKey::serialised_bytes(*context);
  if (bytes.size() != wanted.size() * each) {
    fail_peer("{} Galois keys of {} bytes each were expected, but {} bytes came", wanted.size(), each,
              bytes.size());
  }
  keys_ = make_all(wanted, [&](std::size_t i, std::uint32_t element) {
    return Key{ring::Automorphism(context->n(), element),
               KeySwitchKey(context, bytes.subspan(i * each, each))};
  });
}

Bytes GaloisKeys::serialise() const {
  Bytes bytes;
  for (const auto& [element, key] : keys_) {
    const Bytes one = key.key.serialise();
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  return bytes;
}

std::size_t GaloisKeys::serialised_bytes(const BatchContext& context,
                                         std::span<const std::uint32_t> elements) {
  return size_product(distinct(context, elements).size(), KeySwitchKey::serialised_bytes(context));
}

const GaloisKeys::Key& GaloisKeys::at(std::uint32_t element) const {
  const auto found = keys_.find(element);
  if (found == keys_.end()) {
    fail_input("there is no Galois key for the element {} among the {} given: generate it with the others",
               element, keys_.size());
  }
  return found->second;
}

namespace {

// First to the inverse image of s, then the automorphism takes everything to s.
template <typename Switch>
BatchCiphertext automorphism(const BatchCiphertext& x, std::uint32_t element, const GaloisKeys& keys,
                             const Switch& key_switch) {
  if (element == 1) return x;
  const GaloisKeys::Key& key = keys.at(element);
  AP_ASSERT(key.key.context() == x.context);
  const std::size_t n = x.context->n();
  AlignedVector<std::uint64_t> c0(x.c0), c1(x.c1.size());
  key_switch(key.key, c0, c1);
  BatchCiphertext y(x.context, x.level);
  for (std::size_t i = 0; i < x.level; ++i) {
    ring::elementwise().permute(c0.data() + i * n, key.map, y.c0.data() + i * n, n);
    ring::elementwise().permute(c1.data() + i * n, key.map, y.c1.data() + i * n, n);
  }
  return y;
}

}  // namespace

BatchCiphertext apply_automorphism(const BatchCiphertext& x, const Decomposition& c1, std::uint32_t element,
                                   const GaloisKeys& keys) {
  AP_ASSERT(c1.level == x.level);
  return automorphism(x, element, keys,
                      [&](const KeySwitchKey& key, std::span<std::uint64_t> y0, std::span<std::uint64_t> y1) {
                        key_switch_add(c1, key, y0, y1);
                      });
}

BatchCiphertext apply_automorphism(const BatchCiphertext& x, std::uint32_t element, const GaloisKeys& keys) {
  return automorphism(x, element, keys,
                      [&](const KeySwitchKey& key, std::span<std::uint64_t> y0, std::span<std::uint64_t> y1) {
                        key_switch_add(x.c1, x.level, key, y0, y1);
                      });
}

BatchCiphertext rotate_rows(const BatchCiphertext& x, int step, const GaloisKeys& keys) {
  return apply_automorphism(x, rotation_element(*x.context, step), keys);
}

BatchCiphertext swap_rows(const BatchCiphertext& x, const GaloisKeys& keys) {
  return apply_automorphism(x, swap_element(*x.context), keys);
}

}  // namespace ap::bfv
