#include "base/parallel.h"

#if defined(AP_SERIAL)

namespace ap {

std::size_t thread_count() { return 1; }

void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  for (std::size_t i = 0; i < count; ++i) body(i);
}

}  // namespace ap

#else
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstdlib>

namespace ap {
namespace {

oneapi::tbb::task_arena& arena() {
  static oneapi::tbb::task_arena instance(static_cast<int>(thread_count()));
  return instance;
}

std::size_t choose_thread_count() {
  const char* wanted = std::getenv("AUTOPRIVACY_THREADS");
  const long given = wanted ? std::strtol(wanted, nullptr, 10) : 0;
  const long available = oneapi::tbb::this_task_arena::max_concurrency();
  return static_cast<std::size_t>(std::clamp(given > 0 ? given : available, 1L, 1024L));
}

}  // namespace

std::size_t thread_count() {
  static const std::size_t count = choose_thread_count();
  return count;
}

void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count <= 1 || thread_count() == 1) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  arena().execute([&] { oneapi::tbb::parallel_for(std::size_t{0}, count, body); });
}

}  // namespace ap
#endif
