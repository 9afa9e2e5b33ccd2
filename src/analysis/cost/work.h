// What a part of an inference costs: processor time of both parties, bytes, messages, and how the parties'
// work follows each other, from which the wall time in a setting follows.
#pragma once

#include <cstdint>

#include "analysis/cost/profile.h"
#include "analysis/cost/setting.h"

namespace ap::cost {

/// Who waits for whom while a part runs.
enum class Flow {
  pipelined,    ///< both work at the same time, each some messages ahead of the other
  alternating,  ///< one works while the other waits for its message
};

struct Work {
  double client_s = 0, server_s = 0;    ///< processor time, network not included
  double bytes_up = 0, bytes_down = 0;  ///< payload and headers; to the server, to the client
  double messages_up = 0, messages_down = 0;
  double one_way_messages = 0;  ///< one-way latencies that nothing hides
  Work& operator+=(const Work& other);
  Work& operator*=(double factor);
  double bytes() const { return bytes_up + bytes_down; }
};

/// Processor time of the two parties, network included.
struct Cpu {
  double client_s = 0, server_s = 0;
  double sum() const { return client_s + server_s; }
};
Cpu cpu_of(const Work& work, const Profile& profile);

/// Share of a part's work that runs on a single thread, and how well a pipeline keeps cores busy. Properties
/// of the program, not of the machine: read off traces of whole runs on two cores.
struct Shape {
  Flow flow = Flow::pipelined;
  double serial = 0;      ///< of each party's work, 0 to 1
  double efficiency = 1;  ///< of a pipeline whose parties share the cores
};

/// Seconds on the clock.
///   alternating:           (c + s) a + bytes / bandwidth + one-way messages * round trip / 2
///   pipelined, 2 machines: max(c a, s a, bytes up / bandwidth, bytes down / bandwidth) + the same latencies
///   pipelined, 1 machine:  max((c + s) / (cores efficiency), c a, s a)
/// with a = serial + (1 - serial) / cores, c and s the parties' processor times.
double wall_seconds(const Work& work, const Shape& shape, const Profile& profile, const Setting& setting);

}  // namespace ap::cost
