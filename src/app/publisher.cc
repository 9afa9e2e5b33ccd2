#include "app/publisher.h"

#include <filesystem>

#include "base/files.h"

namespace ap::app {

std::optional<package::PublicKey> publisher_from(const std::string& text) {
  constexpr std::uint64_t kMaxKeyBytes = 4096;
  if (text.empty()) return std::nullopt;
  std::error_code ignored;
  if (!std::filesystem::exists(text, ignored)) return package::parse_public_key(text, "\"" + text + "\"");
  const Bytes bytes = read_file(text, kMaxKeyBytes);
  return package::parse_public_key({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, text);
}

}  // namespace ap::app
