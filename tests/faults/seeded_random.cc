// Takes the place of the C library's getrandom(2) in this program: inside a simulated world keys come from
// the world's seed, so that a run can be repeated bit by bit. Outside one the system gives them as always.
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/faults/world.h"

extern "C" ssize_t getrandom(void* buffer, size_t bytes, unsigned flags) {
  if (ap::faults::World::draw_entropy(buffer, bytes)) return static_cast<ssize_t>(bytes);
  return ::syscall(SYS_getrandom, buffer, bytes, flags);
}
