#include "layers/activation/ot/square_step.h"

#include "base/bits.h"
#include "layers/activation/ot/ot_messages.h"

namespace ap::activation {
namespace {

std::uint64_t low_mask(int bits) { return ~std::uint64_t{0} >> (64 - bits); }

/// One party's part of u: of its word v (without guard bits) and its share of the product of both words.
std::uint64_t value_share(const SquareSpec& spec, std::uint64_t v, std::uint64_t product) {
  return static_cast<std::uint64_t>(spec.linear) * v +
         static_cast<std::uint64_t>(spec.square) * (v * v + 2 * product);
}

std::uint64_t carry_word(const SquareSpec& spec, std::uint64_t word, std::uint64_t operand) {
  const std::uint64_t guard = word & ((std::uint64_t{1} << spec.guard_bits) - 1);
  return (operand & low_mask(spec.value_bits)) << spec.guard_bits | guard;
}

}  // namespace

SquareClientPreprocessing prepare_square_client(net::Channel& channel, const SquareSpec& spec,
                                                std::span<const std::uint64_t> c, mpc::RandomOtSender& ots) {
  const std::size_t count = c.size();
  const int bits = spec.product_bits();
  SquareClientPreprocessing material{SecretVector<std::uint64_t>(c.begin(), c.end()),
                                     SecretVector<std::uint64_t>(count)};
  SecretVector<std::uint64_t> d(count);
  SecretVector<std::uint64_t> shares(count);
  for (int i = 0; i < bits; ++i) {
    const int width = bits - i;
    ots.words(width, std::span(d), std::span(shares));
    for (std::size_t k = 0; k < count; ++k) {
      material.product[k] += shares[k] << i;
      d[k] = ((c[k] >> spec.guard_bits) - d[k]) & low_mask(width);
    }
    Bytes message(packed_bytes(count, width));
    pack_bits(d, width, message);
    channel.send(kSquareFactors, message);
  }
  return material;
}

SquareServerPreprocessing prepare_square_server(net::Channel& channel, const SquareSpec& spec,
                                                std::size_t count, mpc::RandomOtReceiver& ots) {
  const int bits = spec.product_bits();
  SquareServerPreprocessing material{SecretVector<std::uint64_t>(count), SecretVector<std::uint64_t>(count)};
  SecretVector<mpc::Block> choices(mpc::tiles_of(count));
  SecretVector<std::uint64_t> shares(count);
  SecretVector<std::uint64_t> factors(count);
  for (int i = 0; i < bits; ++i) {
    const int width = bits - i;
    ots.words(width, choices, std::span(shares));
    unpack_bits(channel.receive_exactly(kSquareFactors, packed_bytes(count, width)), width, factors);
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint64_t bit = mpc::bit_of(choices, k);
      material.mask[k] |= bit << i;
      material.product[k] += ((factors[k] & (0 - bit)) + shares[k]) << i;
    }
  }
  return material;
}

SecretVector<std::uint64_t> run_square_client(net::Channel& channel, const SquareSpec& spec,
                                              const SquareClientPreprocessing& material) {
  const std::size_t count = material.argument.size();
  const int bits = spec.product_bits();
  SecretVector<std::uint64_t> words(count);
  unpack_bits(channel.receive_exactly(kSquareOpened, packed_bytes(count, bits)), bits, words);
  for (std::size_t k = 0; k < count; ++k) {
    const std::uint64_t c = material.argument[k] >> spec.guard_bits;
    words[k] = value_share(spec, c, c * words[k] + material.product[k]);
  }
  return words;
}

SecretVector<std::uint64_t> run_square_server(net::Channel& channel, const SquareSpec& spec,
                                              const SquareServerPreprocessing& material,
                                              std::span<const std::uint64_t> s) {
  const std::size_t count = s.size();
  const int bits = spec.product_bits();
  SecretVector<std::uint64_t> words(count);
  for (std::size_t k = 0; k < count; ++k)
    words[k] = ((s[k] >> spec.guard_bits) - material.mask[k]) & low_mask(bits);
  Bytes message(packed_bytes(count, bits));
  pack_bits(words, bits, message);
  channel.send(kSquareOpened, message);
  const auto constant = static_cast<std::uint64_t>(spec.constant);
  for (std::size_t k = 0; k < count; ++k) {
    words[k] = constant + value_share(spec, s[k] >> spec.guard_bits, material.product[k]);
  }
  return words;
}

SecretVector<std::uint64_t> client_carry_words(const SquareSpec& spec,
                                               const SquareClientPreprocessing& material) {
  SecretVector<std::uint64_t> words;
  for (const std::uint64_t c : material.argument) {
    words.push_back(
        carry_word(spec, c, 2 * static_cast<std::uint64_t>(spec.square) * (c >> spec.guard_bits)));
  }
  return words;
}

SecretVector<std::uint64_t> server_carry_words(const SquareSpec& spec, std::span<const std::uint64_t> s) {
  SecretVector<std::uint64_t> words;
  for (const std::uint64_t v : s) {
    const std::uint64_t odd = 2 * (v >> spec.guard_bits) + 1;
    words.push_back(carry_word(
        spec, v, static_cast<std::uint64_t>(spec.linear) + static_cast<std::uint64_t>(spec.square) * odd));
  }
  return words;
}

}  // namespace ap::activation
