// One error type for the whole system. A message is one clear sentence: what, where (layer, file, value,
// limit) and what to do next. Invariants of our own code use AP_ASSERT; everything a user, a peer or a file
// can cause is an Error with the code that decides the exit status of the command line.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace ap {

/// The numeric values are the exit statuses of every command.
enum class ErrorCode {
  internal = 1,  ///< our fault
  input = 2,     ///< bad usage, file, model or image
  peer = 3,      ///< the other party or the network
  security = 4,  ///< refused because a security condition does not hold
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }
  int exit_status() const { return static_cast<int>(code_); }

 private:
  ErrorCode code_;
};

template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
[[noreturn]] void fail_input(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::input, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
[[noreturn]] void fail_peer(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::peer, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
[[noreturn]] void fail_security(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::security, fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace ap

/// Checks an invariant of our own code, in every build; throws Error(internal).
#define AP_ASSERT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::ap::assertion_failed(#condition, __FILE__, __LINE__))
