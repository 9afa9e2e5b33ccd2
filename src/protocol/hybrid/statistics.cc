#include "protocol/hybrid/statistics.h"

#include <cmath>

#include "base/clock.h"

namespace ap::protocol {

double statistics_clock(ShareStatistics share) {
  switch (share) {
    case ShareStatistics::session:
      return thread_cpu_seconds();
    case ShareStatistics::process:
      return process_cpu_seconds();
    default:
      return 0;
  }
}

ServerStatistics rounded(ServerStatistics statistics) {
  const auto round = [](double& seconds) { seconds = std::round(seconds * 1e3) / 1e3; };
  round(statistics.cpu_s);
  for (double& seconds : statistics.linear_s) round(seconds);
  for (double& seconds : statistics.activation_s) round(seconds);
  statistics.peak_rss = 0;
  return statistics;
}

std::size_t statistics_bytes(std::size_t linears, std::size_t activations) {
  return 8 * (2 + linears + activations);
}

Bytes serialise(const ServerStatistics& s) {
  ByteWriter out;
  out.f64(s.cpu_s);
  for (const double t : s.linear_s) out.f64(t);
  for (const double t : s.activation_s) out.f64(t);
  out.u64(s.peak_rss);
  return out.take();
}

ServerStatistics parse_statistics(ByteView bytes, std::size_t linears, std::size_t activations) {
  ByteReader in(bytes, "the server's statistics", ErrorCode::peer);
  const auto seconds = [&] {
    const double t = in.f64();
    if (!(t >= 0 && t < 1e9)) fail_peer("the server's statistics hold a time of {} s", t);
    return t;
  };
  ServerStatistics s;
  s.cpu_s = seconds();
  for (std::size_t i = 0; i < linears; ++i) s.linear_s.push_back(seconds());
  for (std::size_t i = 0; i < activations; ++i) s.activation_s.push_back(seconds());
  s.peak_rss = in.u64();
  in.expect_end();
  return s;
}

}  // namespace ap::protocol
