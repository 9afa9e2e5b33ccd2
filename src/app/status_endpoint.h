// What a server tells its operator over plain HTTP, on an address of its own: whether it lives, whether it can take
// clients, and how much it has done. Nothing of it depends on a secret. Not for the address that clients use: whoever reaches
// it can read it and, by many connections at a time, keep others out.
#pragma once

#include <functional>
#include <list>
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
  struct Connection;

  void serve();
  bool take_turn(std::list<Connection>& connections) const;
  static int wait_for(const std::list<Connection>& connections);
  bool go_on(Connection& connection) const;
  std::string answer_to(const std::string& head) const;

  std::function<StatusPage(std::string_view)> page_;
  FileDescriptor socket_, wake_;
  std::string address_;
  std::thread thread_;
};

}  // namespace ap::app
