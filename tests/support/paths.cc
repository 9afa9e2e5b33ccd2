#include "tests/support/paths.h"

#include <cstdlib>

namespace ap::tests {

std::filesystem::path source_dir() { return AP_SOURCE_DIR; }
std::filesystem::path binary_dir() { return AP_BINARY_DIR; }

std::filesystem::path shared_data() {
  const char* given = std::getenv("AUTOPRIVACY_DATA");
  return given ? std::filesystem::path(given) : source_dir() / "../shared/data";
}

}  // namespace ap::tests
