// What libsodium does behind the interfaces of this folder.
#if !defined(AP_PLAIN_CRYPTO)
#include <sodium.h>

#include "base/error.h"
#include "base/memory.h"
#include "crypto/blake2b.h"
#include "crypto/ristretto255.h"

namespace ap::crypto {
namespace {

void start_library() {
  static const int status = sodium_init();
  AP_ASSERT(status >= 0);
}

}  // namespace

struct Blake2b::State {
  crypto_generichash_state hash;
};

Blake2b::Blake2b(std::size_t digest_bytes, ByteView key) : state_(std::make_unique<State>()) {
  start_library();
  AP_ASSERT(crypto_generichash_init(&state_->hash, key.data(), key.size(), digest_bytes) == 0);
}
Blake2b::Blake2b(const Blake2b& other) : state_(std::make_unique<State>(*other.state_)) {}
Blake2b::~Blake2b() { wipe(state_.get(), sizeof(State)); }

void Blake2b::add(ByteView bytes) { crypto_generichash_update(&state_->hash, bytes.data(), bytes.size()); }

void Blake2b::finish(std::span<std::uint8_t> digest) {
  AP_ASSERT(crypto_generichash_final(&state_->hash, digest.data(), digest.size()) == 0);
}

namespace ristretto255 {

Scalar reduce_scalar(const WideScalar& wide) {
  Scalar scalar;
  crypto_core_ristretto255_scalar_reduce(scalar.data(), wide.data());
  return scalar;
}

bool multiply_base(const Scalar& scalar, Element& out) {
  start_library();
  return crypto_scalarmult_ristretto255_base(out.data(), scalar.data()) == 0;
}

bool multiply(const Scalar& scalar, const Element& element, Element& out) {
  start_library();
  return crypto_scalarmult_ristretto255(out.data(), scalar.data(), element.data()) == 0;
}

bool add(const Element& a, const Element& b, Element& out) {
  start_library();
  return crypto_core_ristretto255_add(out.data(), a.data(), b.data()) == 0;
}

bool subtract(const Element& a, const Element& b, Element& out) {
  start_library();
  return crypto_core_ristretto255_sub(out.data(), a.data(), b.data()) == 0;
}

}  // namespace ristretto255
}  // namespace ap::crypto
#endif
