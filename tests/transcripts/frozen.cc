#include "tests/transcripts/frozen.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>

namespace ap::transcripts {
namespace {

const std::map<std::string, std::string> kFrozen = {
#include "tests/transcripts/frozen.inc"
};

void write(const std::string& name, const std::string& text) {
  const char* path = std::getenv("AP_FREEZE");
  if (path == nullptr) return;
  static std::ofstream out(path, std::ios::trunc);
  out << "{\"" << name << "\", R\"frozen(" << text << ")frozen\"},\n" << std::flush;
  ASSERT_TRUE(out.good()) << path;
}

}  // namespace

void expect_frozen(const std::string& name, const std::string& text) {
  write(name, text);
  const auto found = kFrozen.find(name);
  ASSERT_TRUE(found != kFrozen.end()) << "nothing is frozen of " << name << "; now it is\n" << text;
  EXPECT_EQ(found->second, text) << name << " has changed; if that is meant, see tests/transcripts/frozen.h";
}

bool is_frozen(const std::string& name) { return kFrozen.contains(name); }

std::string sha256(ByteView bytes) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(bytes.data(), bytes.size(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace ap::transcripts
