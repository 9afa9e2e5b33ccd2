// Quadratics of shared values (layers/activation/square_spec.h): the one-opened-value square
// pair of DELPHI (eprint 2020/050, section 4.2, after Beaver), made for shares of which one is known ahead.
//
//   t^2 = c^2 + 2 c s + s^2,    c s = c (s - b) + c b
//
// The client knows c offline. So the random value of the pair is masked where it is needed only: the server
// draws b, and c b is shared offline; online the server opens s - b, uniform, and everything else is local. A
// square pair of an unknown random a (a^2 shared) costs the same product of two parties' words offline and
// one opened word more online.
//
// c b comes from one transfer for each bit of b (Gilboa, "Two Party RSA Key Generation", CRYPTO 1999, section
// 4), where c and s stand for the words without their guard bits: bit i selects 0 or 2^i c, of which the
// lowest i bits are known to be 0. Silent OTs give a random bit b_i and a random word D_i
// (mpc/ot/random_ot.h, words); b is random anyway, so only c - D_i is sent, from client to server. k bits of
// product take k transfers and k (k + 1) / 2 bits.
#pragma once

#include <cstdint>
#include <span>

#include "base/memory.h"
#include "layers/activation/square_spec.h"
#include "mpc/ot/random_ot.h"
#include "net/channel/channel.h"

namespace ap::activation {

/// One layer's material. Empty until prepared; used once, which the holder sees to.
struct SquareClientPreprocessing {
  SecretVector<std::uint64_t> argument;  ///< c, with its guard bits
  SecretVector<std::uint64_t> product;   ///< share of c b
};
struct SquareServerPreprocessing {
  SecretVector<std::uint64_t> mask;     ///< b
  SecretVector<std::uint64_t> product;  ///< share of c b
};

/// Offline. `c`: words of spec.word_bits() bits. The specs must be valid.
SquareClientPreprocessing prepare_square_client(net::Channel& channel, const SquareSpec& spec,
                                                std::span<const std::uint64_t> c, mpc::RandomOtSender& ots);
/// @throws Error(peer) on a malformed message.
SquareServerPreprocessing prepare_square_server(net::Channel& channel, const SquareSpec& spec,
                                                std::size_t count, mpc::RandomOtReceiver& ots);

/// Online: receives s - b and returns the client's share of u, as if the guard bits did not carry.
/// @throws Error(peer) on a malformed message.
SecretVector<std::uint64_t> run_square_client(net::Channel& channel, const SquareSpec& spec,
                                              const SquareClientPreprocessing& material);
/// Online: sends s - b and returns the server's share, which waits for nothing.
/// `s`: as many words of spec.word_bits() bits as were prepared.
SecretVector<std::uint64_t> run_square_server(net::Channel& channel, const SquareSpec& spec,
                                              const SquareServerPreprocessing& material,
                                              std::span<const std::uint64_t> s);

/// A party's words for the step that adds what the carry changes (layers/activation/ot/ot_plan.h, carry): its
/// guard bits, and above them its share of linear + square (2 t + 1), modulo 2^value_bits.
SecretVector<std::uint64_t> client_carry_words(const SquareSpec& spec,
                                               const SquareClientPreprocessing& material);
SecretVector<std::uint64_t> server_carry_words(const SquareSpec& spec, std::span<const std::uint64_t> s);

/// A share of u without its dropped bits.
inline std::uint64_t without_dropped(const SquareSpec& spec, std::uint64_t share) {
  return (share & (~std::uint64_t{0} >> (64 - spec.value_bits))) >> spec.dropped_bits;
}

}  // namespace ap::activation
