// A client that keeps inferences prepared while it has nothing else to do: whenever there are fewer than wanted in its store,
// it prepares more, as long as the server has a place that nobody else needs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "app/client.h"
#include "app/connect.h"
#include "package/package.h"
#include "protocol/store/preprocessing_store.h"

namespace ap::app {

struct AheadOptions {
  ConnectOptions connect;
  cost::Profile profile = cost::typical_profile();
  std::size_t count = 1;                  ///< inferences of this package that the store is to hold
  Notice notice;                          ///< why nothing could be prepared for now, once for each reason
  std::chrono::milliseconds look{2'000};  ///< between two looks into the store
  std::chrono::milliseconds first_pause{5'000}, longest_pause{300'000};  ///< after failures: it doubles
};

class PrepareAhead {
 public:
  /// `package` and `store` must outlive it.
  PrepareAhead(const package::Package& package, protocol::PreprocessingStore& store, AheadOptions options);

  /// Prepares until stop(); a preparation that is under way then is finished, and one that fails is tried again later.
  /// @throws Error(security) if the server is not to be trusted, Error(input) for what no other try mends.
  void run();
  /// Safe from any thread.
  void stop();
  /// Prepared since the start.
  std::size_t prepared() const;

 private:
  void top_up();
  bool sleep(std::chrono::milliseconds time);

  const package::Package& package_;
  protocol::PreprocessingStore& store_;
  const AheadOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::size_t prepared_ = 0;
};

}  // namespace ap::app
