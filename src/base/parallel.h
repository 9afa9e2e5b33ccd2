// Loops over independent work on all cores (oneTBB). The number of threads is that of the machine unless
// AUTOPRIVACY_THREADS says otherwise. Built with AP_SERIAL, for machines without threads or oneTBB, the loops run on the
// caller's thread.
#pragma once

#include <cstddef>
#include <functional>

namespace ap {

/// Calls body(i) for every i in [0, count), in any order, on up to thread_count() threads. Exceptions from a
/// body reach the caller. Bodies must not touch each other's data.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

/// The number of threads parallel_for may use.
std::size_t thread_count();

}  // namespace ap
