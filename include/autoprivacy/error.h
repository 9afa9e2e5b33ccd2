// The one exception of this library.
#pragma once

#include <stdexcept>
#include <string>

namespace autoprivacy {

/// Whose fault an error is, which decides what to do about it. The values are the exit statuses of the
/// command `autoprivacy`; docs/errors.md lists the causes of each with the next step.
enum class ErrorCode {
  internal = 1,  ///< a fault of this library, or no memory: report it, or use a smaller network
  input = 2,     ///< an argument, file, model or image that cannot be used: correct it
  peer = 3,      ///< the other party or the network: try again, or ask whoever runs the other party
  security = 4,  ///< refused because a security condition does not hold: do not go on with what was refused
};

/// What every function of this library throws, and nothing else. An object whose method has thrown can still
/// be destroyed; whether it can still be used, its own documentation says.
class Error : public std::runtime_error {
 public:
  /// `message` is one sentence without a full stop: what is wrong, where, the limit if there is one, and a
  /// next step. It may quote what a file or a peer said; escape it before it goes to a terminal.
  Error(ErrorCode code, const std::string& message);
  ~Error() override;

  /// Whose fault it is.
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace autoprivacy
