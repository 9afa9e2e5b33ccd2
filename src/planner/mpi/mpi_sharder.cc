#include "planner/mpi/mpi_sharder.h"

#include <mpi.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace ap::mpi {
namespace {

constexpr std::size_t kChunk = 1 << 20;  // MPI counts in int

void check(int code, const char* what) {
  if (code != MPI_SUCCESS) fail(ErrorCode::internal, "MPI cannot {} (code {})", what, code);
}

}  // namespace

MpiSharder::MpiSharder() {
  // Worker threads run beside, but only this one talks to other ranks.
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "start");
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "tell the rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "tell the number of ranks");
}

MpiSharder::~MpiSharder() { MPI_Finalize(); }

void MpiSharder::sum(std::span<std::int64_t> values) {
  while (!values.empty()) {
    const std::size_t count = std::min(values.size(), kChunk);
    check(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(count), MPI_INT64_T, MPI_SUM,
                        MPI_COMM_WORLD),
          "add over the ranks");
    values = values.subspan(count);
  }
}

void MpiSharder::barrier() { check(MPI_Barrier(MPI_COMM_WORLD), "wait for the other ranks"); }

void MpiSharder::abort(int status) {
  MPI_Abort(MPI_COMM_WORLD, status);
  std::_Exit(status);
}

}  // namespace ap::mpi
