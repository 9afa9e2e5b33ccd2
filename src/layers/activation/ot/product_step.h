// Products of two private tensors (layers/activation/product_spec.h). With x = x_c + x_s and g = g_c + g_s, the
// client's words c and the server's s,
//
//   x g = x_c g_c + x_s g_s + x_s g_c + g_s x_c
//
// of which two products are of one party's words with the other's. The client knows its words offline. So, as for
// squares (layers/activation/ot/square_step.h), the server draws a and b offline, a g_c and b x_c are shared by one
// transfer for each bit of a and b (Gilboa), and online the server opens x_s - a and g_s - b, which are uniform;
// everything else is local:
//   x_s g_c = (x_s - a) g_c + a g_c
// Where one g serves a plane of elements each of them has a mask b of its own.
//
// The client sees words minus masks that serve nothing else. The server sees, for each bit of its masks, a word of the
// client minus a random one of which it knows only what its bit gives. A client that deviates offline makes its own
// result wrong, whatever the server's words, since what it sends does not depend on them; so does a server online.
#pragma once

#include <cstdint>
#include <span>

#include "layers/activation/ot/square_step.h"
#include "layers/activation/product_spec.h"

namespace ap::activation {

/// The material is that of a square: `argument` and `mask` hold the words of x, then those of g (of the mask one for
/// each element), `product` the share of both products together.
/// Offline. `words`: spec.arguments(count) words of value_bits bits. The specs must be valid.
SquareClientPreprocessing prepare_product_client(net::Channel& channel, const ProductSpec& spec,
                                                 std::size_t count, std::span<const std::uint64_t> words,
                                                 mpc::RandomOtSender& ots);
/// @throws Error(peer) on a malformed message.
SquareServerPreprocessing prepare_product_server(net::Channel& channel, const ProductSpec& spec,
                                                 std::size_t count, mpc::RandomOtReceiver& ots);

/// Online: receives the opened words and returns the client's share of u without its dropped bits.
/// @throws Error(peer) on a malformed message.
SecretVector<std::uint64_t> run_product_client(net::Channel& channel, const ProductSpec& spec,
                                               std::size_t count, const SquareClientPreprocessing& material);
/// Online: opens the server's words, as many as the client's, and returns its share of u without its dropped bits.
SecretVector<std::uint64_t> run_product_server(net::Channel& channel, const ProductSpec& spec,
                                               std::size_t count, const SquareServerPreprocessing& material,
                                               std::span<const std::uint64_t> words);

}  // namespace ap::activation
