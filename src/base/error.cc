#include "base/error.h"

#include <cstring>

namespace ap {

void assertion_failed(const char* condition, const char* file, int line) {
  const char* name = std::strrchr(file, '/');
  throw Error(ErrorCode::internal,
              fmt::format("internal error: {} does not hold at {}:{}; please report this", condition,
                          name ? name + 1 : file, line));
}

}  // namespace ap
