// Keeps inferences prepared while there is nothing else to do.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "autoprivacy/client.h"
#include "autoprivacy/error.h"

namespace autoprivacy {

/// Keeps so many prepared inferences in a client's store, which any Client of the same package then uses: whenever there are
/// fewer, it prepares one after another on a thread of its own, in sessions that make way for clients with an image. A
/// server that is gone, or has no place or no room, is tried again later, ever more rarely.
class PrepareAhead {
 public:
  /// `options.store` must name the directory. @throws Error(input) if the package or the store cannot be used, or there is
  /// none; Error(security) as Client.
  PrepareAhead(const std::filesystem::path& package, std::string url, std::size_t count,
               ConnectOptions options);
  /// The same of a package in memory.
  PrepareAhead(std::span<const std::uint8_t> package, std::string url, std::size_t count,
               ConnectOptions options);
  /// Stops, if need be.
  ~PrepareAhead();
  PrepareAhead(const PrepareAhead&) = delete;
  PrepareAhead& operator=(const PrepareAhead&) = delete;

  /// Begins, and returns at once. @throws Error(input) if it was started before.
  void start();
  /// Finishes the inference that is being prepared, and returns. Without effect if it does not run.
  /// @throws Error if preparing has ended by itself before: a server that is not to be trusted, a full store.
  void stop();
  /// Prepared since the start. Safe from any thread.
  std::size_t prepared() const;
  /// How many are in the store now. Safe from any thread.
  std::size_t available() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoprivacy
