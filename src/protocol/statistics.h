// What the server tells the client about its own cost: processor time by layer, for one phase of one
// inference. The times depend on public shapes only.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace ap::protocol {

struct ServerStatistics {
  double cpu_s = 0;                  ///< the whole phase
  std::vector<double> linear_s;      ///< by linear layer
  std::vector<double> activation_s;  ///< by activation
  std::uint64_t peak_rss = 0;        ///< bytes
};

std::size_t statistics_bytes(std::size_t linears, std::size_t activations);
Bytes serialise(const ServerStatistics& statistics);
/// @throws Error(peer) on a wrong size or a time that is negative or not finite.
ServerStatistics parse_statistics(ByteView bytes, std::size_t linears, std::size_t activations);

}  // namespace ap::protocol
