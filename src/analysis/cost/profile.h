// Unit costs: what one operation of each kind takes on one core of a machine, in seconds of processor time.
// They come from a measurement of the machine at hand (profile_measure.h), from its cache (profile_cache.h),
// or, where neither is wanted, from built-in figures of a typical processor. Plain data, passed down to
// whatever predicts; no global state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/cost/simd_cost.h"
#include "layers/linear/coefficient/packing_choice.h"

namespace ap::cost {

/// Operations of coefficient packing in one ring: seconds for one polynomial, or one coefficient of a reply.
struct RingCosts {
  std::uint32_t n = 0;
  int primes = 1;
  int prime_bits = 0;  ///< of the widest prime for which the figures hold: 30, 50 or 60, one for each kernel
  double key_client = 0;                             ///< secret key, public key and its bytes
  double key_server = 0;                             ///< check and expand a public key
  double upload_client = 0;                          ///< encrypt
  double upload_server = 0;                          ///< check, expand and transform
  double product = 0;                                ///< multiply and accumulate one plaintext polynomial
  double reply_server = 0, reply_server_output = 0;  ///< re-share: a reply, and each coefficient of c0 in it
  double reply_client = 0, reply_client_output = 0;  ///< decrypt: the same
  friend bool operator==(const RingCosts&, const RingCosts&) = default;
};

/// Garbled activations (layers/activation/gc/activation_garbler.h); the client garbles. An element with its clamp, a bit
/// of the server's share, and an AND gate with two ciphertexts.
struct GarblingCosts {
  double columns_bit_server = 0;                                    ///< OT extension as receiver
  double columns_bit_client = 0;                                    ///< as sender
  double garble_element = 0, garble_bit = 0, garble_and = 0;        ///< client, offline
  double answer_bit = 0;                                            ///< client, online
  double request_bit = 0;                                           ///< server, online
  double evaluate_element = 0, evaluate_bit = 0, evaluate_and = 0;  ///< server, online
  friend bool operator==(const GarblingCosts&, const GarblingCosts&) = default;
};

/// Activations by silent OTs (layers/activation/ot/ot_activation.h). A row is one output of the code of mpc/ot/lpn.h
/// with its share of the trees; a transfer is what a random correlation is hashed from.
struct OtCosts {
  double small_row_sender = 0, small_row_receiver = 0;  ///< set-up iterations
  double large_row_sender = 0, large_row_receiver = 0;
  double table_sender = 0, table_receiver = 0;  ///< a transfer of a 1-of-2^w table
  double bit_sender = 0, bit_receiver = 0;
  double word_sender = 0, word_receiver = 0;
  double online_element_client = 0, online_element_server = 0;  ///< online: a word of a step
  double online_bit_client = 0, online_bit_server = 0;          ///< online: a bit of its comparison
  friend bool operator==(const OtCosts&, const OtCosts&) = default;
};

/// The server's convolution of its share, for each product of integers.
struct ClearCosts {
  double many_pixels = 0, few_pixels = 0, depthwise = 0;
  friend bool operator==(const ClearCosts&, const ClearCosts&) = default;
};

/// TLS WebSocket connections (net/websocket/websocket.h).
struct NetworkCosts {
  double byte_up = 0, byte_down = 0;  ///< both parties together
  double message = 0;                 ///< both parties together
  double round_trip = 0;              ///< wall time of an echo on the loopback interface
  friend bool operator==(const NetworkCosts&, const NetworkCosts&) = default;
};

struct Profile {
  std::string machine;  ///< model of the processor; "typical" for the built-in figures
  int cores = 2;
  std::vector<RingCosts> rings;
  SimdUnitCosts simd;
  GarblingCosts garbling;
  OtCosts ot;
  ClearCosts clear;
  NetworkCosts network;
  double base_sender = 0, base_receiver = 0;  ///< 128 base OTs, once a session and direction
  double share_element = 0;                   ///< draw, mask and copy one element of a share
  double fresh_byte = 0;                      ///< allocate, touch, wipe and free a byte of preprocessing
  double first_byte = 0;                      ///< touch a byte that the system has just given
  double loop = 0;                            ///< start one parallel loop
  friend bool operator==(const Profile&, const Profile&) = default;
};

/// Built-in figures.
Profile typical_profile();

/// The class of a prime's kernels: 30, 50 or 60.
int prime_class(int prime_bits);

/// The figures of a ring; those of the nearest ring, scaled, if the profile does not have it.
RingCosts ring_costs(const Profile& profile, std::uint32_t n, int primes, int prime_bits);

/// Unit costs of the packing planner for a ring of degree n and `primes` primes of log2_q bits together,
/// replies dropping c0_dropped_bits and c1_dropped_bits bits of c0 and c1.
linear::UnitCosts unit_costs(const Profile& profile, std::uint32_t n, double log2_q, int primes,
                             int c0_dropped_bits, int c1_dropped_bits);

}  // namespace ap::cost
