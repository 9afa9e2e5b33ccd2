// What a server tells its operator over plain HTTP, on an address of its own: whether it lives, whether it can take
// clients, and how much it has done. Nothing of it depends on a secret. Not for the address that clients use: whoever reaches
// it can read it and, by being slow, delay others.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/file_descriptor.h"

namespace ap::app {

struct StatusPage {
  int status = 200;  ///< of HTTP
  std::string text;
};

class StatusEndpoint {
 public:
  /// Serves GET and HEAD of the paths for which `page` returns a page; of others it returns status 404. `page` is called on
  /// the endpoint's thread and must not throw. `where` is HOST:PORT; port 0 takes a free one.
  /// @throws Error(input) if it cannot listen there.
  StatusEndpoint(const std::string& where, std::function<StatusPage(std::string_view path)> page);
  ~StatusEndpoint();
  StatusEndpoint(const StatusEndpoint&) = delete;
  StatusEndpoint& operator=(const StatusEndpoint&) = delete;

  /// HOST:PORT with the real port.
  const std::string& address() const { return address_; }

 private:
  void serve();
  void answer(int connection) const;

  std::function<StatusPage(std::string_view)> page_;
  FileDescriptor socket_, wake_;
  std::string address_;
  std::thread thread_;
};

/// What /metrics shows.
struct ServerFigures {
  std::string protocol, package;
  bool ready = false;
  std::size_t sessions = 0, max_sessions = 0, pending = 0;
  std::uint64_t started = 0, failed = 0, prepared = 0, inferences = 0;
  std::uint64_t refused_busy = 0, refused_package = 0, refused_version = 0, refused_inferences = 0;
  double uptime_s = 0;
};

/// The text format of Prometheus, version 0.0.4.
std::string metrics_text(const ServerFigures& figures);

}  // namespace ap::app
