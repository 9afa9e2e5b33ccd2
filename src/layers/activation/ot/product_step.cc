#include "layers/activation/ot/product_step.h"

#include "base/bits.h"
#include "layers/activation/ot/ot_messages.h"

namespace ap::activation {
namespace {

std::uint64_t low_mask(int bits) { return ~std::uint64_t{0} >> (64 - bits); }

/// Adds the client's shares of words[of(k)] times the server's random words to `product`.
template <typename Of>
void share_client(net::Channel& channel, int bits, std::span<const std::uint64_t> words, const Of& of,
                  mpc::RandomOtSender& ots, std::span<std::uint64_t> product) {
  const std::size_t count = product.size();
  SecretVector<std::uint64_t> d(count), shares(count);
  for (int i = 0; i < bits; ++i) {
    const int width = bits - i;
    ots.words(width, std::span(d), std::span(shares));
    for (std::size_t k = 0; k < count; ++k) {
      product[k] += shares[k] << i;
      d[k] = (words[of(k)] - d[k]) & low_mask(width);
    }
    Bytes message(packed_bytes(count, width));
    pack_bits(d, width, message);
    channel.send(kProductFactors, message);
  }
}

/// Draws a word for each element; adds the server's shares of its products with the client's.
void share_server(net::Channel& channel, int bits, mpc::RandomOtReceiver& ots, std::span<std::uint64_t> mask,
                  std::span<std::uint64_t> product) {
  const std::size_t count = product.size();
  SecretVector<mpc::Block> choices(mpc::tiles_of(count));
  SecretVector<std::uint64_t> shares(count), factors(count);
  for (int i = 0; i < bits; ++i) {
    const int width = bits - i;
    ots.words(width, choices, std::span(shares));
    unpack_bits(channel.receive_exactly(kProductFactors, packed_bytes(count, width)), width, factors);
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint64_t bit = mpc::bit_of(choices, k);
      mask[k] |= bit << i;
      product[k] += ((factors[k] & (0 - bit)) + shares[k]) << i;
    }
  }
}

std::uint64_t result(const ProductSpec& spec, std::uint64_t share) {
  return (share & low_mask(spec.value_bits)) >> spec.dropped_bits;
}

}  // namespace

SquareClientPreprocessing prepare_product_client(net::Channel& channel, const ProductSpec& spec,
                                                 std::size_t count, std::span<const std::uint64_t> words,
                                                 mpc::RandomOtSender& ots) {
  SquareClientPreprocessing material{SecretVector<std::uint64_t>(words.begin(), words.end()),
                                     SecretVector<std::uint64_t>(count)};
  const auto x = words.first(count), g = words.subspan(count);
  share_client(
      channel, spec.value_bits, g, [&](std::size_t k) { return k / spec.plane; }, ots, material.product);
  share_client(
      channel, spec.value_bits, x, [](std::size_t k) { return k; }, ots, material.product);
  return material;
}

SquareServerPreprocessing prepare_product_server(net::Channel& channel, const ProductSpec& spec,
                                                 std::size_t count, mpc::RandomOtReceiver& ots) {
  SquareServerPreprocessing material{SecretVector<std::uint64_t>(2 * count),
                                     SecretVector<std::uint64_t>(count)};
  const std::span<std::uint64_t> mask = material.mask;
  share_server(channel, spec.value_bits, ots, mask.first(count), material.product);
  share_server(channel, spec.value_bits, ots, mask.subspan(count), material.product);
  return material;
}

SecretVector<std::uint64_t> run_product_client(net::Channel& channel, const ProductSpec& spec,
                                               std::size_t count, const SquareClientPreprocessing& material) {
  const int bits = spec.value_bits;
  const std::size_t half = packed_bytes(count, bits);
  const Bytes message = channel.receive_exactly(kProductOpened, 2 * half);
  SecretVector<std::uint64_t> x(count), g(count);
  unpack_bits(ByteView(message).first(half), bits, x);
  unpack_bits(ByteView(message).subspan(half), bits, g);
  for (std::size_t k = 0; k < count; ++k) {
    const std::uint64_t mine_x = material.argument[k], mine_g = material.argument[count + k / spec.plane];
    x[k] = result(spec, mine_x * mine_g + x[k] * mine_g + g[k] * mine_x + material.product[k]);
  }
  return x;
}

SecretVector<std::uint64_t> run_product_server(net::Channel& channel, const ProductSpec& spec,
                                               std::size_t count, const SquareServerPreprocessing& material,
                                               std::span<const std::uint64_t> words) {
  const int bits = spec.value_bits;
  const std::size_t half = packed_bytes(count, bits);
  SecretVector<std::uint64_t> values(count);
  Bytes message(2 * half);
  for (std::size_t k = 0; k < count; ++k) values[k] = words[k] - material.mask[k];
  pack_bits(values, bits, std::span(message).first(half));
  for (std::size_t k = 0; k < count; ++k)
    values[k] = words[count + k / spec.plane] - material.mask[count + k];
  pack_bits(values, bits, std::span(message).subspan(half));
  channel.send(kProductOpened, message);
  const auto constant = static_cast<std::uint64_t>(spec.constant);
  for (std::size_t k = 0; k < count; ++k) {
    values[k] = result(spec, constant + words[k] * words[count + k / spec.plane] + material.product[k]);
  }
  return values;
}

}  // namespace ap::activation
