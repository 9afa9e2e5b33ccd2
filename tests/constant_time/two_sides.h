// The two sides of a protocol in two threads, each over a channel that makes public what it sends.
#pragma once

#include <exception>
#include <thread>

#include "random/session_key.h"
#include "tests/constant_time/secret.h"

namespace ap::constant_time {

template <typename Client, typename Server>
void run_sides(const Client& client, const Server& server) {
  auto [left, right] = net::make_local_channels();
  PublicChannel of_client(std::move(left)), of_server(std::move(right));
  std::exception_ptr failed;
  std::thread other([&] {
    try {
      server(of_server);
    } catch (...) {
      failed = std::current_exception();
      of_server.close();
    }
  });
  try {
    client(of_client);
  } catch (...) {
    of_client.close();
    other.join();
    throw;
  }
  other.join();
  if (failed) std::rethrow_exception(failed);
}

/// Public: both sides know it.
inline SessionKey session() { return SessionKey(Seed{200}); }

}  // namespace ap::constant_time
