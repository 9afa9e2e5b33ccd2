// Where an inference runs: the two machines and the link between them.
#pragma once

#include <limits>

namespace ap::cost {

struct Setting {
  int cores = 2;                    ///< of each party; of both together if same_machine
  bool same_machine = false;        ///< both parties share the cores, as `infer --local` does
  double bytes_per_second = 125e6;  ///< of the link, each way
  double round_trip_s = 0.5e-3;

  /// Both parties on one machine: a link whose bytes cost processor time only (Profile::network).
  static Setting local(int cores_of_machine, double round_trip) {
    return {cores_of_machine, true, std::numeric_limits<double>::infinity(), round_trip};
  }
};

}  // namespace ap::cost
