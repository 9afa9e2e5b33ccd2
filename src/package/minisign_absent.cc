// Where libsodium is missing, signatures are not checked, and what had to be signed is refused.
#if defined(AP_PLAIN_CRYPTO)
#include "base/error.h"
#include "package/minisign.h"

namespace ap::package {

std::string verify(ByteView, std::string_view, const PublicKey&, const std::string& name) {
  fail_security(
      "the signature of {} cannot be checked: this program was built without libsodium; check it with minisign, then "
      "use it without a publisher's key",
      name);
}

}  // namespace ap::package
#endif
