#include "mpc/ot/leaf_check.h"

#include <cstring>

#include "base/declassify.h"
#include "base/error.h"
#include "random/tagged_hash.h"

namespace ap::mpc {
namespace {

Seed tag_of(const Seed& leaf) { return tagged_hash("AutoPrivacy leaf tag", {leaf}); }

/// 0xff if a == b, else 0.
std::uint8_t equal_mask(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t difference = a ^ b;
  return static_cast<std::uint8_t>(((difference | (0 - difference)) >> 31) - 1);
}

void add(Seed& into, const Seed& from, std::uint8_t mask = 0xff) {
  for (std::size_t i = 0; i < into.size(); ++i)
    into[i] = static_cast<std::uint8_t>(into[i] ^ (from[i] & mask));
}

}  // namespace

void LeafTags::set(std::size_t tree, std::span<const Seed> leaves) {
  AP_ASSERT(leaves.size() == leaves_ && tree < trees());
  for (std::size_t x = 0; x < leaves_; ++x) tags_[tree * leaves_ + x] = tag_of(leaves[x]);
}

void LeafTags::set_punctured(std::size_t tree, std::uint32_t hole, std::span<const Seed> leaves,
                             const std::uint8_t* sum) {
  const bool inside = hole < leaves_;
  declassify(inside);
  AP_ASSERT(leaves.size() == leaves_ && tree < trees() && inside);
  SecretVector<Seed> moved(leaves_);  // by y
  std::memcpy(moved[0].data(), sum, sizeof(Seed));
  for (std::size_t y = 1; y < leaves_; ++y) {
    moved[y] = tag_of(leaves[y]);
    add(moved[0], moved[y]);
  }
  for (std::uint32_t x = 0; x < leaves_; ++x) {
    Seed& tag = tags_[tree * leaves_ + x];
    for (std::uint32_t y = 0; y < leaves_; ++y) add(tag, moved[y], equal_mask(x ^ hole, y));
  }
}

Bytes LeafTags::proof() const {
  Bytes bytes;
  for (std::size_t tree = 0; tree < trees(); ++tree) {
    Seed sum{};
    for (std::size_t x = 0; x < leaves_; ++x) add(sum, tags_[tree * leaves_ + x]);
    bytes.insert(bytes.end(), sum.begin(), sum.end());
  }
  const Seed hash = digest();
  bytes.insert(bytes.end(), hash.begin(), hash.end());
  return bytes;
}

Seed LeafTags::digest() const {
  return tagged_hash("AutoPrivacy leaf proof", {{tags_.front().data(), tags_.size() * sizeof(Seed)}});
}

Seed LeafTags::answer() const {
  return tagged_hash("AutoPrivacy leaf answer", {{tags_.front().data(), tags_.size() * sizeof(Seed)}});
}

}  // namespace ap::mpc
