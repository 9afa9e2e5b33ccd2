// Approximate re-sharing and the decryption of its replies.
#include <algorithm>
#include <vector>

#include "base/error.h"
#include "bfv/context_tables.h"
#include "bfv/scheme.h"
#include "bfv/small.h"
#include "bfv/wire.h"

namespace ap::bfv {
namespace {

using ring::Uint128;

void check(const Context& context, const ReplyFormat& format) {
  for (const int drop : {format.drop0, format.drop1}) {
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
// rounds up to q or above is as close to 0. The error is at most 2^(drop-1).
Uint128 drop_bits(Uint128 v, int drop, Uint128 q) {
  if (drop == 0) return v;
  const Uint128 rounded = (v + (static_cast<Uint128>(1) << (drop - 1))) >> drop;
  const Uint128 below_q = static_cast<Uint128>(0) - (((rounded << drop) - q) >> 127);
  return rounded & below_q;
}

// Restores dropped bits as zeros. @throws Error(peer) if a value is not what drop_bits can return.
void unpack_dropped(const Context& context, ByteView bytes, int drop, std::string_view what,
                    std::span<Uint128> values) {
  unpack_wide(bytes, context.q_bits() - drop, values);
  const Uint128 limit = (context.crt().product() - 1) >> drop;
  bool valid = true;
  for (Uint128& v : values) {
    valid &= v <= limit;
    v <<= drop;
  }
  if (!valid)
    fail_peer("the {} of a reply holds a value that is not below q: the bytes are damaged or forged", what);
}

// From NTT form: x + mask u, back to coefficients, modulo every prime.
void add_product_and_invert(const Context& context, std::span<const std::uint64_t> mask,
                            std::span<const std::uint64_t> u, std::span<std::uint64_t> x) {
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const std::uint64_t* const left[] = {context.part(mask, i).data()};
    const std::uint64_t* const right[] = {context.part(u, i).data()};
    const std::span<std::uint64_t> part = context.part(x, i);
    context.tables(i).multiply_add(left, right, part);
    context.tables(i).inverse(part);
  }
}

}  // namespace

std::size_t reply_bytes(const Context& context, const ReplyFormat& format) {
  check(context, format);
  return wide_bytes(format.positions.size(), context.q_bits() - format.drop0) +
         wide_bytes(context.n(), context.q_bits() - format.drop1);
}

Bytes reshare(const PublicKey& key, Accumulator&& sum, int log2_p, const ReplyFormat& format, Prng& prng,
              std::span<std::uint64_t> server_shares, ErrorSource errors) {
  const Context& context = *key.context;
  const std::size_t n = context.n(), count = format.positions.size();
  AP_ASSERT(server_shares.size() == count && sum.c0.size() == context.words());
  check_log2_p(context.crt(), log2_p);
  Bytes reply(reply_bytes(context, format));

  const SecretVector<std::uint64_t> u = draw_ternary(context, prng);
  const SecretVector<std::int8_t> e0 = draw_errors(count, prng, errors), e1 = draw_errors(n, prng, errors);
  SecretVector<std::uint64_t> r(count * context.primes());
  add_product_and_invert(context, key.b, u, sum.c0);
  add_product_and_invert(context, key.a, u, sum.c1);
  SecretVector<std::uint64_t> c0(count * context.primes());
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const ring::Modulus& q = context.tables(i).modulus();
    const std::span<std::uint64_t> masks = std::span(r).subspan(i * count, count);
    sample_uniform(prng, q.value(), masks);
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint64_t masked = q.sub(sum.c0[i * n + format.positions[k]], masks[k]);
      c0[i * count + k] = q.add(masked, small_residue(e0[k], q.value()));
    }
    for (std::size_t j = 0; j < n; ++j) {
      sum.c1[i * n + j] = q.add(sum.c1[i * n + j], small_residue(e1[j], q.value()));
    }
  }

  const ring::Crt& crt = context.crt();
  std::vector<Uint128> values(std::max(count, n));
  for (std::size_t k = 0; k < count; ++k) {
    server_shares[k] = context.scaling().down(crt.compose(r.data() + k, count), log2_p);
    values[k] = drop_bits(crt.compose(c0.data() + k, count), format.drop0, crt.product());
  }
  const int bits0 = context.q_bits() - format.drop0, bits1 = context.q_bits() - format.drop1;
  const std::size_t bytes0 = wide_bytes(count, bits0);
  pack_wide(std::span(values).first(count), bits0, std::span(reply).first(bytes0));
  for (std::size_t j = 0; j < n; ++j) {
    values[j] = drop_bits(crt.compose(sum.c1.data() + j, n), format.drop1, crt.product());
  }
  pack_wide(std::span(values).first(n), bits1, std::span(reply).subspan(bytes0));
  return reply;
}

void decrypt_reply(const SecretKey& key, ByteView reply, int log2_p, const ReplyFormat& format,
                   std::span<std::uint64_t> client_shares) {
  const Context& context = *key.context;
  const std::size_t n = context.n(), count = format.positions.size();
  AP_ASSERT(client_shares.size() == count);
  check_log2_p(context.crt(), log2_p);
  if (reply.size() != reply_bytes(context, format)) {
    fail_peer("a reply with {} coefficients for n = {} has {} bytes, but {} came", count, n,
              reply_bytes(context, format), reply.size());
  }
  std::vector<Uint128> c0(count), c1(n);
  const std::size_t bytes0 = wide_bytes(count, context.q_bits() - format.drop0);
  unpack_dropped(context, reply.first(bytes0), format.drop0, "first part", c0);
  unpack_dropped(context, reply.subspan(bytes0), format.drop1, "second part", c1);

  const ring::Crt& crt = context.crt();
  SecretVector<std::uint64_t> phase(count * context.primes()), product(n);
  AlignedVector<std::uint64_t> residues(n);
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const ring::NttTables& tables = context.tables(i);
    for (std::size_t j = 0; j < n; ++j) residues[j] = crt.residue(c1[j], i);
    tables.forward(residues);
    std::fill(product.begin(), product.end(), 0);
    const std::uint64_t* const left[] = {residues.data()};
    const std::uint64_t* const right[] = {key.s.data() + i * n};
    tables.multiply_add(left, right, product);
    tables.inverse(product);
    for (std::size_t k = 0; k < count; ++k) {
      phase[i * count + k] = tables.modulus().add(crt.residue(c0[k], i), product[format.positions[k]]);
    }
  }
  for (std::size_t k = 0; k < count; ++k) {
    client_shares[k] = context.scaling().down(crt.compose(phase.data() + k, count), log2_p);
  }
}

}  // namespace ap::bfv
