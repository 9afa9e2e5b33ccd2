#include "mpc/ot/base_ot.h"

#include <string_view>

#include "base/declassify.h"
#include "base/error.h"
#include "crypto/blake2b.h"
#include "crypto/ristretto255.h"

namespace ap::mpc {
namespace {

namespace group = crypto::ristretto255;
using group::Scalar;
using Point = group::Element;
constexpr std::size_t kPointBytes = std::tuple_size_v<Point>;

Scalar random_scalar(Prng& prng) {
  group::WideScalar wide;
  prng.fill(std::span<std::uint8_t>(wide));
  const Scalar scalar = group::reduce_scalar(wide);
  wipe(wide.data(), wide.size());
  return scalar;
}

Point times_base(const Scalar& scalar) {
  Point point;
  const bool valid = group::multiply_base(scalar, point);
  declassify(valid);  // no scalar but zero makes the identity
  AP_ASSERT(valid);
  return point;
}

/// scalar * point for a point of the peer's: refuses what is not a group element and what gives the identity.
Point times(const Scalar& scalar, const Point& point) {
  Point product;
  const bool valid = group::multiply(scalar, point, product);
  declassify(valid);  // the peer's point alone decides it
  if (!valid) {
    fail_peer("the peer's oblivious-transfer message holds an invalid curve point; start a new session");
  }
  return product;
}

Seed derive_key(std::uint64_t index, const Point& sender, const Point& receiver, const Point& shared) {
  static constexpr std::string_view kName = "AutoPrivacy base OT, version 1";
  Seed key;
  crypto::Blake2b hash(key.size(), {reinterpret_cast<const std::uint8_t*>(kName.data()), kName.size()});
  std::array<std::uint8_t, 8> number;
  std::memcpy(number.data(), &index, number.size());
  hash.add(number);
  hash.add(sender);
  hash.add(receiver);
  hash.add(shared);
  hash.finish(key);
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
    AP_ASSERT(group::subtract(receiver, sender, shifted));
    pairs[j][0] = derive_key(j, sender, receiver, shared);
    pairs[j][1] = derive_key(j, sender, receiver, times(y, shifted));
  }
  wipe(y.data(), y.size());
  return pairs;
}

SecretVector<Seed> base_ot_receive(net::Channel& channel, const BaseOtMessages& messages, Prng& prng,
                                   std::span<const std::uint8_t> choices) {
  const Bytes message = channel.receive_exactly(messages.sender_point, kPointBytes);
  const Point sender = point_at(message, 0);
  SecretVector<Seed> keys(choices.size());
  Bytes reply(choices.size() * kPointBytes);
  for (std::size_t j = 0; j < choices.size(); ++j) {
    Scalar x = random_scalar(prng);
    const Point shared = times(x, sender);  // also checks the sender's point
    const Point plain = times_base(x);
    Point shifted;
    const bool valid = group::add(plain, sender, shifted);
    declassify(valid);  // of two points that are known to be valid
    AP_ASSERT(valid);
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
