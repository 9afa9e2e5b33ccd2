// The prime-order group ristretto255 (RFC 9496): libsodium's, or where that is missing (AP_PLAIN_CRYPTO) the
// project's own. Elements and scalars are their encodings. No branch and no address depends on a scalar.
#pragma once

#if defined(AP_PLAIN_CRYPTO)
#include "crypto/plain/ristretto255.h"

namespace ap::crypto::ristretto255 {
using plain::add;
using plain::Element;
using plain::multiply;
using plain::multiply_base;
using plain::reduce_scalar;
using plain::Scalar;
using plain::subtract;
using plain::WideScalar;
}  // namespace ap::crypto::ristretto255

#else
#include <array>
#include <cstdint>

namespace ap::crypto::ristretto255 {

using Element = std::array<std::uint8_t, 32>;
using Scalar = std::array<std::uint8_t, 32>;
using WideScalar = std::array<std::uint8_t, 64>;

/// The 512-bit number, little endian, modulo the order of the group: uniform if the number is.
Scalar reduce_scalar(const WideScalar& wide);
/// scalar times the generator. @return false if that is the identity
[[nodiscard]] bool multiply_base(const Scalar& scalar, Element& out);
/// scalar times an element. @return false if the element's encoding is invalid or the product is the identity
[[nodiscard]] bool multiply(const Scalar& scalar, const Element& element, Element& out);
/// a + b and a - b. @return false if one of the encodings is invalid
[[nodiscard]] bool add(const Element& a, const Element& b, Element& out);
[[nodiscard]] bool subtract(const Element& a, const Element& b, Element& out);

}  // namespace ap::crypto::ristretto255
#endif
