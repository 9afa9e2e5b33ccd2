#include "layers/activation/protocol.h"

#include "base/error.h"

namespace ap {

const char* name_of(ActivationProtocol protocol) {
  switch (protocol) {
    case ActivationProtocol::gc:
      return "gc";
    case ActivationProtocol::ot:
      return "ot";
    case ActivationProtocol::beaver:
      return "beaver";
    case ActivationProtocol::one_trip:
      return "one-trip";
  }
  AP_ASSERT(false);
  return "";
}

}  // namespace ap
