// The choice of a packing: every way to cut a layer into windows, channel blocks and output blocks is priced
// by its exact counts, and the cheapest is taken.
#pragma once

#include <optional>

#include "layers/linear/coefficient/layout.h"

namespace ap::linear {

/// What one polynomial costs, for one ring. Seconds are of one core.
struct UnitCosts {
  double upload_client = 0;         ///< s: encrypt one upload
  double upload_server = 0;         ///< s: expand and transform one upload
  double product = 0;               ///< s: multiply and accumulate one plaintext polynomial
  double reply_server = 0;          ///< s: re-share one reply
  double reply_client = 0;          ///< s: decrypt one reply
  double output_server = 0;         ///< s: re-share one coefficient of c0
  double output_client = 0;         ///< s: decrypt one coefficient of c0
  double byte_seconds_up = 0;       ///< s: both parties' work to move one byte to the server
  double byte_seconds_down = 0;     ///< s: to the client
  double upload_bytes = 0;          ///< bytes of one upload
  double reply_bytes = 0;           ///< bytes of the part of a reply that does not depend on what is read: c1
  double output_bytes = 0;          ///< bytes of one coefficient of c0
  double bytes_per_second = 125e6;  ///< 1 Gbit/s
};

/// Costs of a ring of degree n and `primes` primes of log2_q bits together, replies dropping c0_dropped_bits and c1_dropped_bits
/// bits of c0 and c1, from the time per coefficient that a recent 64-bit processor with AVX-512 takes. A
/// profile of the machine at hand replaces them.
UnitCosts typical_costs(std::uint32_t n, double log2_q, int primes, int c0_dropped_bits, int c1_dropped_bits);

struct PackingChoice {
  Packing packing;
  Counts counts;
  double bytes_up = 0, bytes_down = 0;
  double client_seconds = 0, server_seconds = 0;  ///< of one core
  double seconds = 0;                             ///< client + server + bytes / bandwidth: what was minimised
};

/// The price of one packing.
PackingChoice price(const Geometry& geometry, const Packing& packing, const UnitCosts& costs);

/// The cheapest packing of this layer in a ring of degree n. `max_outputs` bounds the outputs (over channels
/// and groups) of one product, because the noise of a reply grows with the weights of all of them; 0 is no
/// bound.
/// Nothing if the kernel alone does not fit the ring.
std::optional<PackingChoice> find_packing(const Geometry& geometry, std::uint32_t n, const UnitCosts& costs,
                                          int max_outputs = 0);
/// The same. @throws Error(input) if the kernel alone does not fit the ring.
PackingChoice choose_packing(const Geometry& geometry, std::uint32_t n, const UnitCosts& costs,
                             int max_outputs = 0);

}  // namespace ap::linear
