// What a server tells its operator at /healthz, /readyz and /metrics (app/status_endpoint.h serves it). Nothing of it
// depends on a secret, and no client is named.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/status_endpoint.h"

namespace ap::app {

/// Of one network that is served.
struct NetworkFigures {
  std::string name, package;        ///< as the file is called; package id, hexadecimal
  std::size_t sessions = 0;         ///< that run now
  std::uint64_t session_bytes = 0;  ///< that a session may take at most
  std::uint64_t weights_bytes = 0;
  std::uint64_t started = 0, failed = 0, prepared = 0, inferences = 0, refused_inferences = 0;
};

struct ServerFigures {
  std::string protocol;
  bool ready = false, stopping = false;
  std::size_t sessions = 0, max_sessions = 0;
  std::size_t pending = 0;             ///< connections that have not greeted yet, or are leaving
  std::size_t waiting = 0, queue = 0;  ///< clients that wait for a place, and how many may
  std::uint64_t started = 0, failed = 0, prepared = 0, inferences = 0;
  std::uint64_t refused_busy = 0, refused_package = 0, refused_version = 0, refused_inferences = 0;
  double uptime_s = 0;
  std::vector<NetworkFigures> networks;
};

/// The page at a path; status 404 if there is none.
StatusPage status_page(std::string_view path, const ServerFigures& figures);

/// The text format of Prometheus, version 0.0.4.
std::string metrics_text(const ServerFigures& figures);

}  // namespace ap::app
