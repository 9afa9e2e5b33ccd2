// What can be wrong with a machine, a package or a connection before anybody notices: each check a finding with the next
// step.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/connect.h"

namespace ap::app {

struct Finding {
  enum class Level : std::uint8_t { good, warning, problem };
  std::string
      check;  ///< clock, versions, vectors, cores, memory, descriptors, package, clients, ledger, store, tls, server
  Level level = Level::good;
  std::string sentence;
  std::string next;     ///< what to do; empty where all is good
  int exit_status = 0;  ///< that the trouble would end a command with; 0 of what is no problem
};

/// What is looked at; whatever is empty is left out.
struct DoctorOptions {
  std::filesystem::path package;                            ///< client.apm or server.apm
  std::filesystem::path store;                              ///< of prepared inferences
  std::filesystem::path clients, tls_certificate, tls_key;  ///< of a server
  ConnectOptions connect;  ///< its `url`: a server to reach, and to greet with `package`
};

/// Looks at everything, whatever it finds; changes nothing but what opening a store removes. @throws nothing
std::vector<Finding> diagnose(const DoctorOptions& options);

}  // namespace ap::app
