// A client or two and a server or two, each with a store on a disk that fails, connected by a network that
// fails, killed and cut from power where the seed says. Runs until all is quiet, then looks whether
// everything that must hold does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/faults/disk.h"
#include "tests/faults/tiny_network.h"

namespace ap::faults {

struct Outcome {
  std::vector<std::string> violations;  ///< none, if the programs are right
  std::map<std::string, std::uint64_t> counts;
  std::uint64_t trace = 0;  ///< the same for the same seed
};

struct Networks {
  Networks() : linear(tiny_package(false)), activation(tiny_package(true)) {}
  Served linear, activation;
};

/// @param lies  what the disks leave out, to see that it is noticed
Outcome simulate(std::uint64_t seed, const Networks& networks, const Lies& lies = {});

}  // namespace ap::faults
