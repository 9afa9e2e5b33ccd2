#include "protocol/store/store_owner.h"

#include <algorithm>

#include "random/tagged_hash.h"

namespace ap::protocol {

StoreOwner make_owner(StoreOwner::Kind kind, std::string_view name) {
  const auto number = static_cast<std::uint8_t>(kind);
  const Seed hash =
      tagged_hash("AutoPrivacy owner of a stored inference, version 1",
                  {{&number, 1}, {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()}});
  StoreOwner owner;
  owner.kind = kind;
  std::copy_n(hash.begin(), owner.tag.size(), owner.tag.begin());
  return owner;
}

}  // namespace ap::protocol
