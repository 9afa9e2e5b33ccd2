// What the process does with memory that is freed.
#pragma once

namespace ap {

/// From now on freed memory stays with the process, in one pool for all threads, instead of going back to the
/// system: every inference needs about as much again, and a page that the system hands out anew costs more
/// than most of what is computed in it. Where the C library is not glibc nothing changes. For main().
void keep_freed_memory();

/// Gives what is freed and kept back to the system, once: for a process that is idle.
void give_back_freed_memory();

}  // namespace ap
