// Approximate re-sharing and the decryption of its replies.
#include <algorithm>
#include <string_view>
#include <type_traits>

#include "base/error.h"
#include "he/bfv/scheme.h"
#include "he/bfv/wire.h"
#include "he/rlwe/polynomial.h"
#include "random/wide_noise.h"

namespace ap::bfv {
namespace {

using ring::Uint128;

/// No noise of the server reaches this: 65 steps and an error.
constexpr std::uint64_t kMaxNoise = 66 * kMaxWideNoiseStep;

void check(const Context& context, const ReplyFormat& format) {
  for (const int drop : {format.c0_dropped_bits, format.c1_dropped_bits}) {
    if (drop < 0 || drop >= context.q_bits()) {
      fail_input("a reply cannot drop {} of the {} bits of q", drop, context.q_bits());
    }
  }
  for (std::size_t i = 0; i < format.positions.size(); ++i) {
    if (format.positions[i] >= context.n()) {
      fail_input("a reply cannot carry coefficient {}: the ring degree is {}", format.positions[i],
                 context.n());
    }
    if (i > 0 && format.positions[i - 1] >= format.positions[i]) {
      fail_input("the positions of a reply must ascend, but {} follows {}", format.positions[i],
                 format.positions[i - 1]);
    }
  }
}

// Rounds v < q to a multiple of 2^drop modulo q and returns the multiple, at most (q-1) >> drop: a value that
// rounds up to q or above is as close to 0. The error is at most 2^(drop-1). Word holds 2q as a signed
// number.
template <typename Word>
Word drop_bits(Word v, int drop, Word q) {
  if (drop == 0) return v;
  const Word rounded = (v + (Word{1} << (drop - 1))) >> drop;
  const Word below_q = Word{0} - (((rounded << drop) - q) >> (8 * sizeof(Word) - 1));
  return rounded & below_q;
}

// Polynomials below lie as `count` residues of prime 0, then of prime 1, ... One prime needs no composition
// and no value beyond a word.
template <typename Word>
void pack_part(const Context& context, const std::uint64_t* residues, std::size_t count, int drop,
               std::span<std::uint8_t> out) {
  AlignedVector<Word> values(count);
  for (std::size_t k = 0; k < count; ++k) {
    Word value;
    if constexpr (std::is_same_v<Word, std::uint64_t>) {
      value = residues[k];
    } else {
      value = context.crt().compose(residues + k, count);
    }
    values[k] = drop_bits(value, drop, static_cast<Word>(context.crt().product()));
  }
  pack_wide(values, context.q_bits() - drop, out);
}

// Restores dropped bits as zeros. @throws Error(peer) if a value is not what drop_bits can return.
template <typename Word>
void unpack_part(const Context& context, ByteView in, std::string_view what, int drop,
                 std::uint64_t* residues, std::size_t count) {
  AlignedVector<Word> values(count);
  unpack_wide(in, context.q_bits() - drop, values);
  const Word limit = static_cast<Word>(context.crt().product() - 1) >> drop;
  bool valid = true;
  for (std::size_t k = 0; k < count; ++k) {
    valid &= values[k] <= limit;
    const Word value = values[k] << drop;
    if constexpr (std::is_same_v<Word, std::uint64_t>) {
      residues[k] = value;
    } else {
      for (std::size_t i = 0; i < context.data(); ++i)
        residues[i * count + k] = context.crt().residue(value, i);
    }
  }
  if (!valid)
    fail_peer("the {} of a reply holds a value that is not below q: the bytes are damaged or forged", what);
}

void pack(const Context& context, const std::uint64_t* residues, std::size_t count, int drop,
          std::span<std::uint8_t> out) {
  const auto kernel = context.data() == 1 ? pack_part<std::uint64_t> : pack_part<Uint128>;
  kernel(context, residues, count, drop, out);
}

void unpack(const Context& context, ByteView in, std::string_view what, int drop, std::uint64_t* residues,
            std::size_t count) {
  const auto kernel = context.data() == 1 ? unpack_part<std::uint64_t> : unpack_part<Uint128>;
  kernel(context, in, what, drop, residues, count);
}

// round(p x / q) mod p of each value.
void scale_down(const Context& context, const std::uint64_t* residues, int log2_p,
                std::span<std::uint64_t> out) {
  const Scaling& scaling = context.scaling();
  if (context.data() == 1) {
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = scaling.down(residues[k], log2_p);
  } else {
    for (std::size_t k = 0; k < out.size(); ++k) {
      out[k] = scaling.down(context.crt().compose(residues + k, out.size()), log2_p);
    }
  }
}

// From NTT form: x + mask u, back to coefficients, modulo every prime.
void add_product_and_invert(const Context& context, std::span<const std::uint64_t> mask,
                            std::span<const std::uint64_t> u, std::span<std::uint64_t> x) {
  for (std::size_t i = 0; i < context.data(); ++i) {
    const std::span<std::uint64_t> part = context.part(x, i);
    rlwe::add_product(context, i, context.part(mask, i), context.part(u, i), part);
    context.tables(i).inverse(part);
  }
}

}  // namespace

std::size_t reply_bytes(const Context& context, const ReplyFormat& format) {
  check(context, format);
  return wide_bytes(format.positions.size(), context.q_bits() - format.c0_dropped_bits) +
         wide_bytes(context.n(), context.q_bits() - format.c1_dropped_bits);
}

Bytes reshare(const Context& context, const rlwe::PublicKey& key, rlwe::Ciphertext&& sum, int log2_p,
              const ReplyFormat& format, std::uint64_t noise_step, Prng& prng,
              std::span<std::uint64_t> server_shares, ErrorSource errors) {
  const std::size_t n = context.n(), count = format.positions.size();
  AP_ASSERT(key.context().get() == &context && sum.context() == key.context() &&
            server_shares.size() == count && sum.level() == context.data() && sum.form() == rlwe::Form::ntt);
  check_log2_p(context.crt(), log2_p);
  Bytes reply(reply_bytes(context, format));

  const SecretVector<std::uint64_t> u = rlwe::draw_ternary(context, context.data(), prng);
  const SecretVector<std::int8_t> e0 = rlwe::draw_errors(count, prng, errors),
                                  e1 = rlwe::draw_errors(n, prng, errors);
  SecretVector<std::int64_t> wide(count);
  if (noise_step > 0 && errors == ErrorSource::centred_binomial) sample_wide_noise(prng, noise_step, wide);
  SecretVector<std::uint64_t> r(count * context.data());
  const std::span<std::uint64_t> sum0 = sum[0], sum1 = sum[1];
  add_product_and_invert(context, key.b(), u, sum0);
  add_product_and_invert(context, key.a(), u, sum1);
  SecretVector<std::uint64_t> c0(count * context.data());
  for (std::size_t i = 0; i < context.data(); ++i) {
    const ring::Modulus& q = context.tables(i).modulus();
    const std::span<std::uint64_t> masks = std::span(r).subspan(i * count, count);
    sample_uniform(prng, q.value(), masks);
    // A multiple of the prime beyond every noise, so that sums with it are not negative.
    const auto lift = static_cast<std::int64_t>((kMaxNoise / q.value() + 1) * q.value());
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint64_t masked = q.sub(sum0[i * n + format.positions[k]], masks[k]);
      c0[i * count + k] = q.add(masked, q.reduce(static_cast<std::uint64_t>(wide[k] + e0[k] + lift)));
    }
    for (std::size_t j = 0; j < n; ++j) {
      sum1[i * n + j] = q.add(sum1[i * n + j], rlwe::small_residue(e1[j], q.value()));
    }
  }

  scale_down(context, r.data(), log2_p, server_shares);
  const std::size_t bytes0 = wide_bytes(count, context.q_bits() - format.c0_dropped_bits);
  pack(context, c0.data(), count, format.c0_dropped_bits, std::span(reply).first(bytes0));
  pack(context, sum1.data(), n, format.c1_dropped_bits, std::span(reply).subspan(bytes0));
  return reply;
}

void decrypt_reply(const Context& context, const rlwe::SecretKey& key, ByteView reply, int log2_p,
                   const ReplyFormat& format, std::span<std::uint64_t> client_shares) {
  const std::size_t n = context.n(), count = format.positions.size();
  AP_ASSERT(key.context().get() == &context && client_shares.size() == count);
  check_log2_p(context.crt(), log2_p);
  if (reply.size() != reply_bytes(context, format)) {
    fail_peer("a reply with {} coefficients for n = {} has {} bytes, but {} came", count, n,
              reply_bytes(context, format), reply.size());
  }
  // The phase of the wanted coefficients, c0 + (c1 s), modulo every prime.
  SecretVector<std::uint64_t> phase(count * context.data()), product(n);
  AlignedVector<std::uint64_t> c1(context.data_words());
  const std::size_t bytes0 = wide_bytes(count, context.q_bits() - format.c0_dropped_bits);
  unpack(context, reply.first(bytes0), "first part", format.c0_dropped_bits, phase.data(), count);
  unpack(context, reply.subspan(bytes0), "second part", format.c1_dropped_bits, c1.data(), n);
  for (std::size_t i = 0; i < context.data(); ++i) {
    const ring::NttTables& tables = context.tables(i);
    const std::span<std::uint64_t> part = context.part(std::span<std::uint64_t>(c1), i);
    tables.forward(part);
    std::fill(product.begin(), product.end(), 0);
    rlwe::add_product(context, i, part, key.s(i), product);
    tables.inverse(product);
    for (std::size_t k = 0; k < count; ++k) {
      std::uint64_t& value = phase[i * count + k];
      value = tables.modulus().add(value, product[format.positions[k]]);
    }
  }
  scale_down(context, phase.data(), log2_p, client_shares);
}

}  // namespace ap::bfv
