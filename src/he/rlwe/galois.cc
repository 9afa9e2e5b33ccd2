#include "he/rlwe/galois.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/parallel.h"
#include "base/sizes.h"

namespace ap::rlwe {
namespace {

// The distinct elements without the identity, checked to be automorphisms.
std::set<std::uint32_t> distinct(const Context& context, std::span<const std::uint32_t> elements) {
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

KeySwitchKey make_key(const SecretKey& key, std::uint32_t element, Prng& prng) {
  const Context& context = *key.context();
  const std::size_t n = context.n();
  const ring::Automorphism map(n, ring::inverse_element(element, n));
  SecretVector<std::uint64_t> image(key.s().size());
  for (std::size_t i = 0; i < context.data() + context.special(); ++i) {
    ring::elementwise().permute(key.s(i).data(), map, image.data() + i * n, n);
  }
  return {key.context(), key.s(), image, prng};
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

GaloisKeys::GaloisKeys(const SecretKey& key, std::span<const std::uint32_t> elements, Prng& prng) {
  Seed seed;
  prng.fill(std::span<std::uint8_t>(seed));
  keys_ = make_all(distinct(*key.context(), elements), [&](std::size_t i, std::uint32_t element) {
    Prng own(seed, i);
    return Key{ring::Automorphism(key.context()->n(), element), make_key(key, element, own)};
  });
  wipe(seed.data(), seed.size());
}

GaloisKeys::GaloisKeys(ContextPtr context, std::span<const std::uint32_t> elements, ByteView bytes) {
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

std::size_t GaloisKeys::serialised_bytes(const Context& context, std::span<const std::uint32_t> elements) {
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
Ciphertext automorphism(const Ciphertext& x, std::uint32_t element, const GaloisKeys& keys,
                        const Switch& key_switch) {
  AP_ASSERT(x.form() == Form::ntt && x.degree() == 1);
  if (element == 1) return x;
  const GaloisKeys::Key& key = keys.at(element);
  AP_ASSERT(key.key.context() == x.context());
  Ciphertext y = Ciphertext::unwritten(x.context(), x.level());
  key_switch(key, y);
  return y;
}

}  // namespace

Ciphertext apply_automorphism(const Ciphertext& x, const Decomposition& digits, std::uint32_t element,
                              const GaloisKeys& keys) {
  AP_ASSERT(digits.level == x.level());
  return automorphism(x, element, keys, [&](const GaloisKeys::Key& key, Ciphertext& y) {
    key_switch_map(digits, key.key, x[0], key.map, y[0], y[1]);
  });
}

Ciphertext apply_automorphism(const Ciphertext& x, std::uint32_t element, const GaloisKeys& keys) {
  return automorphism(x, element, keys, [&](const GaloisKeys::Key& key, Ciphertext& y) {
    key_switch_map(x[1], x.level(), key.key, x[0], key.map, y[0], y[1]);
  });
}

Ciphertext automorphism_image(const Ciphertext& x, std::uint32_t element) {
  const std::size_t n = x.context()->n();
  const ring::Automorphism map(n, element);
  Ciphertext y(x.context(), x.level(), x.degree(), x.form());
  for (std::size_t k = 0; k <= x.degree(); ++k) {
    for (std::size_t i = 0; i < x.level(); ++i) {
      if (x.form() == Form::ntt) {
        ring::elementwise().permute(x.part(k, i).data(), map, y.part(k, i).data(), n);
      } else {
        ring::apply_to_coefficients(x.part(k, i), element, x.context()->modulus(i), y.part(k, i));
      }
    }
  }
  return y;
}

}  // namespace ap::rlwe
