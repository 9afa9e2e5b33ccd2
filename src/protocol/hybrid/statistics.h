// What a server that was told to tells the client about its own cost: processor time by layer, for one phase
// of one inference. The times depend on public shapes only, but those of a whole process also on what else it
// does.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace ap::protocol {

/// Whose cost clients are told. The value is in the server's greeting.
enum class ShareStatistics : std::uint8_t {
  none,     ///< nobody's, there are no such messages
  session,  ///< of the session's own thread, in whole milliseconds; no memory. What a session's layers do on
            ///< other threads (base/parallel.h) is not in it: those threads work for all sessions.
  process,  ///< of the whole process, its peak memory too: other sessions show in it. For one's own
            ///< measurements.
};

/// Processor seconds so far of what `share` names; 0 of nobody.
double statistics_clock(ShareStatistics share);

struct ServerStatistics {
  double cpu_s = 0;                  ///< the whole phase
  std::vector<double> linear_s;      ///< by linear layer
  std::vector<double> activation_s;  ///< by activation
  std::uint64_t peak_rss = 0;        ///< bytes; 0: not told
};

/// With times in whole milliseconds, and without memory: what ShareStatistics::session sends.
ServerStatistics rounded(ServerStatistics statistics);

std::size_t statistics_bytes(std::size_t linears, std::size_t activations);
Bytes serialise(const ServerStatistics& statistics);
/// @throws Error(peer) on a wrong size or a time that is negative or not finite.
ServerStatistics parse_statistics(ByteView bytes, std::size_t linears, std::size_t activations);

}  // namespace ap::protocol
