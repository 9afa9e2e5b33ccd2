#include <autoprivacy/version.h>

namespace autoprivacy {

const char* version() noexcept { return AUTOPRIVACY_VERSION; }

}  // namespace autoprivacy
