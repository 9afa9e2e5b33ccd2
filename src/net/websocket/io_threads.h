// The threads that run the network's handlers, shared by all connections of a listener or owned by one
// client.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <thread>
#include <vector>

namespace ap::net {

class IoThreads {
 public:
  /// @throws std::system_error if the system has no thread or descriptor left.
  explicit IoThreads(int threads);
  /// Stops at once: handlers that wait are destroyed without being called. Not from one of the threads.
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  boost::asio::io_context& context() { return context_; }
  /// For the handlers of one connection: one at a time, in order, on any of the threads.
  boost::asio::strand<boost::asio::io_context::executor_type> strand() {
    return boost::asio::make_strand(context_);
  }

 private:
  void run();
  void stop();

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
};

}  // namespace ap::net
