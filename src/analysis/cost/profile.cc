#include "analysis/cost/profile.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ap::cost {
namespace {

double polynomial_work(std::uint32_t n, int primes) {
  return static_cast<double>(n) * std::log2(static_cast<double>(n)) * primes;
}

RingCosts typical_ring(std::uint32_t n, int primes, int prime_bits) {
  const linear::UnitCosts units = linear::typical_costs(n, prime_bits * primes, primes, 0, 0);
  RingCosts ring{.n = n, .primes = primes, .prime_bits = prime_bits};
  ring.key_client = 3 * units.upload_client;
  ring.key_server = units.upload_server;
  ring.upload_client = units.upload_client;
  ring.upload_server = units.upload_server;
  ring.product = units.product;
  ring.reply_server = units.reply_server;
  ring.reply_client = units.reply_client;
  return ring;
}

}  // namespace

int prime_class(int prime_bits) { return prime_bits <= 30 ? 30 : prime_bits <= 50 ? 50 : 60; }

Profile typical_profile() {
  Profile p;
  p.machine = "typical";
  for (const std::uint32_t n : {1024U, 2048U, 4096U, 8192U}) {
    for (const int primes : {1, 2}) {
      for (const int bits : {30, 50, 60}) p.rings.push_back(typical_ring(n, primes, bits));
    }
  }
  // A recent server core with AVX-512 and VAES, rounded; activations as `autoprivacy profile` measures them.
  p.garbling = {.columns_bit_server = 45e-9,
                .columns_bit_client = 43e-9,
                .garble_element = 80e-9,
                .garble_bit = 9e-9,
                .garble_and = 21e-9,
                .answer_bit = 2e-9,
                .request_bit = 0.2e-9,
                .evaluate_element = 48e-9,
                .evaluate_bit = 3e-9,
                .evaluate_and = 7e-9};
  p.ot = {.small_row_sender = 12e-9,
          .small_row_receiver = 13e-9,
          .large_row_sender = 15e-9,
          .large_row_receiver = 16e-9,
          .table_sender = 4.5e-9,
          .table_receiver = 2.5e-9,
          .bit_sender = 4.5e-9,
          .bit_receiver = 2e-9,
          .word_sender = 4e-9,
          .word_receiver = 2e-9,
          .online_element_client = 1e-9,
          .online_element_server = 1e-9,
          .online_bit_client = 0.5e-9,
          .online_bit_server = 0.35e-9};
  p.clear = {.many_pixels = 0.1e-9, .few_pixels = 0.3e-9, .depthwise = 1e-9};
  p.network = {.byte_up = 1.8e-9, .byte_down = 1.5e-9, .message = 20e-6, .round_trip = 100e-6};
  p.base_sender = 20e-3;
  p.base_receiver = 15e-3;
  p.share_element = 10e-9;
  p.fresh_byte = 3.7e-9;
  p.first_byte = 3.7e-9;
  p.loop = 5e-6;
  return p;
}

RingCosts ring_costs(const Profile& profile, std::uint32_t n, int primes, int prime_bits) {
  AP_ASSERT(!profile.rings.empty());
  const int wanted = prime_class(prime_bits);
  const auto distance = [&](const RingCosts& r) {
    return std::abs(std::log2(static_cast<double>(r.n) / n)) + 4 * std::abs(r.primes - primes) +
           16 * std::abs(r.prime_bits - wanted);
  };
  RingCosts ring =
      *std::min_element(profile.rings.begin(), profile.rings.end(),
                        [&](const RingCosts& a, const RingCosts& b) { return distance(a) < distance(b); });
  if (ring.n == n && ring.primes == primes) return ring;
  const double scale = polynomial_work(n, primes) / polynomial_work(ring.n, ring.primes);
  for (double* cost : {&ring.key_client, &ring.key_server, &ring.upload_client, &ring.upload_server,
                       &ring.product, &ring.reply_server, &ring.reply_client}) {
    *cost *= scale;
  }
  const double per_output = static_cast<double>(primes) / ring.primes;
  ring.reply_server_output *= per_output;
  ring.reply_client_output *= per_output;
  ring.n = n;
  ring.primes = primes;
  return ring;
}

linear::UnitCosts unit_costs(const Profile& profile, std::uint32_t n, double log2_q, int primes,
                             int c0_dropped_bits, int c1_dropped_bits) {
  // The bytes are the planner's own; the seconds come from the profile.
  linear::UnitCosts units = linear::typical_costs(n, log2_q, primes, c0_dropped_bits, c1_dropped_bits);
  const RingCosts ring = ring_costs(profile, n, primes, static_cast<int>(std::ceil(log2_q / primes - 1e-9)));
  units.upload_client = ring.upload_client;
  units.upload_server = ring.upload_server;
  units.product = ring.product;
  units.reply_server = ring.reply_server;
  units.reply_client = ring.reply_client;
  units.output_server = ring.reply_server_output;
  units.output_client = ring.reply_client_output;
  const double moved_up = profile.network.byte_up, moved_down = profile.network.byte_down;
  units.byte_seconds_up = moved_up;
  units.byte_seconds_down = moved_down;
  return units;
}

}  // namespace ap::cost
