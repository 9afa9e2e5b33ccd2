#include "app/api/translate.h"

#include <fmt/format.h>

#include <autoprivacy/error.h>
#include <exception>
#include <new>

#include "base/error.h"

namespace autoprivacy {

Error::Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
Error::~Error() = default;

}  // namespace autoprivacy

namespace ap::app {

static_assert(static_cast<int>(autoprivacy::ErrorCode::internal) == static_cast<int>(ErrorCode::internal));
static_assert(static_cast<int>(autoprivacy::ErrorCode::input) == static_cast<int>(ErrorCode::input));
static_assert(static_cast<int>(autoprivacy::ErrorCode::peer) == static_cast<int>(ErrorCode::peer));
static_assert(static_cast<int>(autoprivacy::ErrorCode::security) == static_cast<int>(ErrorCode::security));

void rethrow_translated() {
  try {
    throw;
  } catch (const autoprivacy::Error&) {
    throw;
  } catch (const Error& error) {
    throw autoprivacy::Error(static_cast<autoprivacy::ErrorCode>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    throw autoprivacy::Error(
        autoprivacy::ErrorCode::internal,
        "not enough memory; close other programs, use a smaller network or a machine with more");
  } catch (const std::exception& error) {
    throw autoprivacy::Error(autoprivacy::ErrorCode::internal,
                             fmt::format("internal error: {}", error.what()));
  }
}

}  // namespace ap::app
