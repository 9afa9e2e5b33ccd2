#include "layers/linear/coefficient/packing_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"

namespace ap::linear {
namespace {

// The distinct values of ceil(total / parts), largest first: other block sizes give as many blocks as one of
// these.
std::vector<int> block_sizes(int total) {
  std::vector<int> sizes;
  for (int size = total; size >= 1;) {
    sizes.push_back(size);
    if (size == 1) break;
    const int parts = (total + size - 1) / size + 1;
    size = std::min(size - 1, (total + parts - 1) / parts);
  }
  return sizes;
}

int balanced(int total, std::int64_t limit) {
  const std::int64_t blocks = (total + limit - 1) / limit;
  return static_cast<int>((total + blocks - 1) / blocks);
}

}  // namespace

UnitCosts typical_costs(std::uint32_t n, double log2_q, int primes, int c0_dropped_bits,
                        int c1_dropped_bits) {
  const double work = 1e-9 * n * primes;
  UnitCosts costs;
  costs.upload_client = 8 * work;
  costs.upload_server = 4 * work;
  costs.product = work;
  costs.reply_server = 20 * work;
  costs.reply_client = 14 * work;
  const double bits = std::ceil(log2_q);
  costs.upload_bytes = n * bits / 8 + 32;
  costs.reply_bytes = n * std::max(bits - c1_dropped_bits, 1.0) / 8;
  costs.output_bytes = std::max(bits - c0_dropped_bits, 1.0) / 8;
  return costs;
}

PackingChoice price(const Geometry& geometry, const Packing& packing, const UnitCosts& costs) {
  PackingChoice choice;
  choice.packing = packing;
  choice.counts = counts(geometry, packing);
  const auto uploads = static_cast<double>(choice.counts.uploads);
  const auto replies = static_cast<double>(choice.counts.replies);
  const auto products = static_cast<double>(choice.counts.products);
  choice.bytes_up = uploads * costs.upload_bytes;
  choice.bytes_down =
      replies * costs.reply_bytes + static_cast<double>(geometry.out().size()) * costs.output_bytes;
  const auto outputs = static_cast<double>(geometry.out().size());
  const double moving = choice.bytes_up * costs.byte_seconds_up + choice.bytes_down * costs.byte_seconds_down;
  choice.client_seconds = uploads * costs.upload_client + replies * costs.reply_client +
                          outputs * costs.output_client + moving / 2;
  choice.server_seconds = uploads * costs.upload_server + products * costs.product +
                          replies * costs.reply_server + outputs * costs.output_server + moving / 2;
  choice.seconds = choice.client_seconds + choice.server_seconds +
                   (choice.bytes_up + choice.bytes_down) / costs.bytes_per_second;
  return choice;
}

std::optional<PackingChoice> find_packing(const Geometry& g, std::uint32_t n, const UnitCosts& costs,
                                          int max_outputs) {
  check(g);
  PackingChoice best;
  best.seconds = std::numeric_limits<double>::infinity();
  const bool strided = g.window.stride_h > 1 || g.window.stride_w > 1;
  const std::int64_t most_outputs = max_outputs > 0 ? max_outputs : std::numeric_limits<int>::max();
  for (const bool phases : {false, true}) {
    if (phases && !strided) continue;
    const ReducedMap map = reduce(g, phases);
    for (const int rows : block_sizes(g.out().h)) {
      for (const int columns : block_sizes(g.out().w)) {
        Packing p{(rows - 1) * map.stride_h + map.kernel_h,
                  (columns - 1) * map.stride_w + map.kernel_w,
                  1,
                  1,
                  1,
                  phases};
        // One channel's share is the same for every number of channels and groups.
        const std::int64_t channel = channel_pitch(g, p);
        if (channel > n) continue;
        for (const int groups : block_sizes(g.groups)) {
          if (groups > most_outputs || groups * channel > n) continue;
          const std::int64_t slots = 2 * std::int64_t{progression_free(groups).back()} + 1;
          if (slots * channel > n) continue;
          p.groups = groups;
          for (const int in : block_sizes(map.channels_in)) {
            p.channels_in = in;
            p.channels_out = 1;
            std::int64_t room = std::min(n / (slots * channel * in), most_outputs / groups);
            // Kernels larger than their input may need a little more than the pitches say.
            for (; room >= 1; --room) {
              p.channels_out = balanced(map.channels_out, std::min<std::int64_t>(room, map.channels_out));
              if (coefficients_needed(g, p) <= n) break;
            }
            if (room < 1) continue;
            const PackingChoice choice = price(g, p, costs);
            if (choice.seconds < best.seconds) best = choice;
          }
        }
      }
    }
  }
  if (!std::isfinite(best.seconds)) return std::nullopt;
  return best;
}

PackingChoice choose_packing(const Geometry& g, std::uint32_t n, const UnitCosts& costs, int max_outputs) {
  const std::optional<PackingChoice> best = find_packing(g, n, costs, max_outputs);
  if (!best) {
    fail_input("a {}x{} kernel over rows of {} does not fit a ring of degree {}; take a larger one",
               g.window.kernel_h, g.window.kernel_w, g.in.w, n);
  }
  return *best;
}

}  // namespace ap::linear
