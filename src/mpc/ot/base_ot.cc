#include "mpc/ot/base_ot.h"

#include <sodium.h>

#include <string_view>

#include "base/declassify.h"
#include "base/error.h"

namespace ap::mpc {
namespace {

constexpr std::size_t kPointBytes = crypto_core_ristretto255_BYTES;
using Point = std::array<std::uint8_t, kPointBytes>;
using Scalar = std::array<std::uint8_t, crypto_core_ristretto255_SCALARBYTES>;

void start_library() {
  static const int status = sodium_init();
  AP_ASSERT(status >= 0);
}

Scalar random_scalar(Prng& prng) {
  std::array<std::uint8_t, crypto_core_ristretto255_NONREDUCEDSCALARBYTES> wide;
  prng.fill(std::span<std::uint8_t>(wide));
  Scalar scalar;
  crypto_core_ristretto255_scalar_reduce(scalar.data(), wide.data());
  wipe(wide.data(), wide.size());
  return scalar;
}

Point times_base(const Scalar& scalar) {
  Point point;
  const int status = crypto_scalarmult_ristretto255_base(point.data(), scalar.data());
  declassify(status);  // no scalar but zero makes the identity
  AP_ASSERT(status == 0);
  return point;
}

/// scalar * point for a point of the peer's: refuses what is not a group element and what gives the identity.
Point times(const Scalar& scalar, const Point& point) {
  Point product;
  const int status = crypto_scalarmult_ristretto255(product.data(), scalar.data(), point.data());
  declassify(status);  // the peer's point alone decides it
  if (status != 0) {
    fail_peer("the peer's oblivious-transfer message holds an invalid curve point; start a new session");
  }
  return product;
}

Seed derive_key(std::uint64_t index, const Point& sender, const Point& receiver, const Point& shared) {
  static constexpr std::string_view kName = "AutoPrivacy base OT, version 1";
  Seed key;
  crypto_generichash_state state;
  crypto_generichash_init(&state, reinterpret_cast<const unsigned char*>(kName.data()), kName.size(),
                          key.size());
  std::array<std::uint8_t, 8> number;
  std::memcpy(number.data(), &index, number.size());
  crypto_generichash_update(&state, number.data(), number.size());
  crypto_generichash_update(&state, sender.data(), sender.size());
  crypto_generichash_update(&state, receiver.data(), receiver.size());
  crypto_generichash_update(&state, shared.data(), shared.size());
  crypto_generichash_final(&state, key.data(), key.size());
  wipe(&state, sizeof state);
  return key;
}

Point point_at(const Bytes& message, std::size_t index) {
  Point point;
  std::memcpy(point.data(), message.data() + index * kPointBytes, kPointBytes);
  return point;
}

}  // namespace

SecretVector<SeedPair> base_ot_send(net::Channel& channel, const BaseOtMessages& messages, Prng& prng,
                                    std::size_t count) {
  start_library();
  Scalar y = random_scalar(prng);
  const Point sender = times_base(y);
  declassify(sender);
  channel.send(messages.sender_point, sender);
  const Bytes reply = channel.receive_exactly(messages.receiver_points, count * kPointBytes);
  SecretVector<SeedPair> pairs(count);
  for (std::size_t j = 0; j < count; ++j) {
    const Point receiver = point_at(reply, j);
    const Point shared = times(y, receiver);
    Point shifted;
    // The encoding was checked just now; R_j = S would give the identity below and is refused there.
    AP_ASSERT(crypto_core_ristretto255_sub(shifted.data(), receiver.data(), sender.data()) == 0);
    pairs[j][0] = derive_key(j, sender, receiver, shared);
    pairs[j][1] = derive_key(j, sender, receiver, times(y, shifted));
  }
  wipe(y.data(), y.size());
  return pairs;
}

SecretVector<Seed> base_ot_receive(net::Channel& channel, const BaseOtMessages& messages, Prng& prng,
                                   std::span<const std::uint8_t> choices) {
  start_library();
  const Bytes message = channel.receive_exactly(messages.sender_point, kPointBytes);
  const Point sender = point_at(message, 0);
  SecretVector<Seed> keys(choices.size());
  Bytes reply(choices.size() * kPointBytes);
  for (std::size_t j = 0; j < choices.size(); ++j) {
    Scalar x = random_scalar(prng);
    const Point shared = times(x, sender);  // also checks the sender's point
    const Point plain = times_base(x);
    Point shifted;
    const int status = crypto_core_ristretto255_add(shifted.data(), plain.data(), sender.data());
    declassify(status);  // of two points that are known to be valid
    AP_ASSERT(status == 0);
    const auto mask = static_cast<std::uint8_t>(0 - choices[j]);
    Point receiver;
    for (std::size_t i = 0; i < kPointBytes; ++i) {
      receiver[i] = static_cast<std::uint8_t>((plain[i] & ~mask) | (shifted[i] & mask));
    }
    std::memcpy(reply.data() + j * kPointBytes, receiver.data(), kPointBytes);
    keys[j] = derive_key(j, sender, receiver, shared);
    wipe(x.data(), x.size());
  }
  channel.send(messages.receiver_points, reply);
  return keys;
}

}  // namespace ap::mpc
