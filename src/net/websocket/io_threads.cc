#include "net/websocket/io_threads.h"

#include <exception>

namespace ap::net {

IoThreads::IoThreads(int threads) : context_(threads), work_(context_.get_executor()) {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  } catch (...) {
    stop();
    throw;
  }
}

IoThreads::~IoThreads() { stop(); }

void IoThreads::stop() {
  context_.stop();
  for (std::thread& thread : threads_) thread.join();
}

void IoThreads::run() {
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception&) {
      // Memory ran out inside the library, between two of our handlers. What belonged to that operation is
      // gone; the connection ends at its deadline, and the others must not notice.
    }
  }
}

}  // namespace ap::net
