// The ranks of an MPI job as a search::Sharder: `mpirun -n 2 autoprivacy compile ...` splits the images of
// every simulation over two processes.
#pragma once

#include "planner/search/sharder.h"

namespace ap::mpi {

/// Joins the job for the lifetime of the object; at most one in a process, ever. Without a launcher it is a
/// job of one. A rank that fails must end the job by abort(), since the others would wait for it for ever.
class MpiSharder final : public search::Sharder {
 public:
  /// @throws Error(internal) if MPI does not start.
  MpiSharder();
  ~MpiSharder() override;
  MpiSharder(const MpiSharder&) = delete;
  MpiSharder& operator=(const MpiSharder&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  /// @throws Error(internal) if the job is broken.
  void sum(std::span<std::int64_t> values) override;
  /// Waits until every rank is here: what rank 0 wrote before is then seen by all.
  void barrier();
  /// Ends all ranks with this exit status.
  [[noreturn]] void abort(int status);

 private:
  int rank_ = 0, size_ = 1;
};

}  // namespace ap::mpi
