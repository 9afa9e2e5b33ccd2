// What an inference cost, as counted while it ran: seconds, processor time of both parties and payload bytes,
// by phase and by layer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ap::protocol {

struct Cost {
  double seconds = 0;       ///< wall time at the client
  double client_cpu_s = 0;  ///< processor time of the client's process
  double server_cpu_s = 0;  ///< as far as the server tells (ShareStatistics)
  std::uint64_t bytes_up = 0, bytes_down = 0;
  Cost& operator+=(const Cost& other) {
    seconds += other.seconds;
    client_cpu_s += other.client_cpu_s;
    server_cpu_s += other.server_cpu_s;
    bytes_up += other.bytes_up;
    bytes_down += other.bytes_down;
    return *this;
  }
};

struct LayerCost {
  int node = 0;  ///< index in the network; of the argmax one more than its last
  std::string name;
  std::string op;        ///< "linear", "activation" or "argmax"
  std::string protocol;  ///< "he", "gc", "ot", "beaver" or "one-trip"
  Cost offline, online;
};

struct Report {
  Cost offline, online;
  std::vector<LayerCost> layers;      ///< linear layers and activations in network order
  bool server_told = false;           ///< server_cpu_s of all costs; without it they are 0
  std::uint64_t server_peak_rss = 0;  ///< bytes; 0 if the server did not tell
  std::size_t from_store = 0;         ///< inferences whose offline phase was another session's
};

}  // namespace ap::protocol
