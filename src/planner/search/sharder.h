// Splits the images of a simulation over processes. Every rank runs the same search and gets the same sums,
// so all take the same decisions without further messages.
#pragma once

#include <cstdint>
#include <span>

namespace ap::search {

class Sharder {
 public:
  virtual ~Sharder() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Replaces every value by its sum over all ranks; all ranks call it together, with as many values.
  virtual void sum(std::span<std::int64_t> values) = 0;
};

/// One process: nothing to add.
class SingleRank final : public Sharder {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void sum(std::span<std::int64_t>) override {}
};

}  // namespace ap::search
