// A search on disk: every simulation that was run, so that a stopped search is resumed by running it again
// without repeating any of them (policies are deterministic); at the end also the trace.
#pragma once

#include <cstdint>
#include <filesystem>

#include "planner/search/problem.h"

namespace ap::search {

/// A fingerprint of all that decides what a simulation answers: weights, images, seeds and Pareto lists.
std::uint64_t fingerprint(const Environment& environment);

class Journal {
 public:
  /// The file is written aside and renamed. Ranks other than 0 must not write: give them writes = false.
  Journal(std::filesystem::path file, std::string policy, bool writes = true);

  /// Hands the environment what an earlier search of the same problem remembered; returns the number of
  /// simulations. Nothing if there is no file.
  /// @throws Error(input) if the file is damaged or belongs to another problem.
  std::size_t resume(Environment& environment) const;
  /// From now on the environment's simulations are written every few of them.
  void follow(Environment& environment);
  /// Writes the end of the search.
  void finish(Environment& environment, const Result& result);

 private:
  void write(Environment& environment, const Result* result) const;
  std::filesystem::path file_;
  std::string policy_;
  bool writes_;
};

}  // namespace ap::search
