// Packed shares modulo a power of two or a prime, and a server's statistics.
#include "base/bits.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "protocol/hybrid/model.h"
#include "protocol/hybrid/statistics.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  Choices choices(input);
  if (choices.number(1) % 4 == 0) {
    const std::size_t linears = choices.number(1) % 8, activations = choices.number(1) % 8;
    const protocol::ServerStatistics told = protocol::parse_statistics(input, linears, activations);
    require(std::ranges::equal(protocol::serialise(told), input), "statistics survive reading and writing");
    (void)protocol::rounded(told);
    return;
  }
  const std::uint64_t value = std::max<std::uint64_t>(2, choices.number(8) >> (2 + choices.number(1) % 60));
  const protocol::ShareModulus modulus(value);
  // As many as a message of exactly this size holds: the channel has seen to that.
  const std::size_t count = 8 * input.size() / static_cast<std::size_t>(modulus.bits());
  if (packed_bytes(count, modulus.bits()) != input.size()) return;
  const protocol::Share shares = protocol::unpack_shares(input, count, modulus, "the shares");
  for (const std::uint64_t share : shares) {
    require(share < value && modulus.from_signed(modulus.to_signed(share)) == share, "a residue");
  }
  const Bytes packed = protocol::pack_shares(shares, modulus);
  require(packed.size() == input.size() &&
              std::ranges::equal(protocol::unpack_shares(packed, count, modulus, "again"), shares),
          "shares survive writing");
}

std::vector<Bytes> seeds() {
  const protocol::ShareModulus prime(12289), power = protocol::ShareModulus::power_of_two(18);
  protocol::Share shares(9);
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i] = i * 1000;
  const auto with = [](Bytes head, const Bytes& tail) {
    head.insert(head.end(), tail.begin(), tail.end());
    return head;
  };
  // 8 bytes of a modulus, to be shifted by two bits.
  const auto head = [](std::uint64_t value) {
    Bytes out = {1};
    for (int i = 7; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value << 2 >> (8 * i)));
    out.push_back(0);
    return out;
  };
  protocol::ServerStatistics told;
  told.linear_s.resize(2, 0.25);
  told.activation_s.resize(1, 0.5);
  return {with(head(12289), protocol::pack_shares(shares, prime)),
          with(head(std::uint64_t{1} << 18), protocol::pack_shares(shares, power)),
          with({0, 2, 1}, protocol::serialise(told))};
}

const Register known(
    {.name = "shares", .run = run, .seeds = seeds, .mistakes = Mistakes::of_a_peer, .max_bytes = 2048});

}  // namespace
}  // namespace ap::fuzz
