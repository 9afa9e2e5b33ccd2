// Why a connection has ended.
#pragma once

#include <string>

#include "base/error.h"

namespace ap::net {

/// A sentence without its full stop, to which "while we ..." can be added.
struct ConnectionEnd {
  ErrorCode code = ErrorCode::peer;
  std::string what;
};

}  // namespace ap::net
