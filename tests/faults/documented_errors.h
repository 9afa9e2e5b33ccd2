// Which sentences a failing network or disk may cause, and where docs/errors.md speaks of each.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace ap::faults {

struct DocumentedError {
  ErrorCode code;
  const char* words;  ///< of the sentence
  const char* row;    ///< of docs/errors.md: the first column
  bool needs_failing_disk;
};
const std::vector<DocumentedError>& documented_errors();

struct Permitted {
  bool changed_messages =
      false;  ///< anything may be wrong with a message then, as long as the peer is to blame
  bool failed_disk = false;
};

/// Empty if the error is documented and may happen.
std::string why_not_documented(ErrorCode code, const std::string& sentence, const Permitted& permitted);

}  // namespace ap::faults
