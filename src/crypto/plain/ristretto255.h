// The prime-order group ristretto255 (RFC 9496) in plain C++: the reference beside libsodium's, for machines that have
// none. The functions are those of crypto/ristretto255.h. No branch and no address depends on a scalar or an
// element; whether an encoding is valid is returned.
#pragma once

#include <array>
#include <cstdint>

namespace ap::crypto::plain {

using Element = std::array<std::uint8_t, 32>;
using Scalar = std::array<std::uint8_t, 32>;
using WideScalar = std::array<std::uint8_t, 64>;

Scalar reduce_scalar(const WideScalar& wide);
[[nodiscard]] bool multiply_base(const Scalar& scalar, Element& out);
[[nodiscard]] bool multiply(const Scalar& scalar, const Element& element, Element& out);
[[nodiscard]] bool add(const Element& a, const Element& b, Element& out);
[[nodiscard]] bool subtract(const Element& a, const Element& b, Element& out);

}  // namespace ap::crypto::plain
