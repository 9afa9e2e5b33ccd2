#include "protocol/store/preprocessing_index.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"

namespace ap::protocol {
namespace {

constexpr std::size_t kHexBytes = 32;

/// False if it is gone.
bool describe(Directory& directory, const std::string& name, PreprocessingIndex::Half& half) {
  FileInfo info;
  if (directory.info(name, info) != 0) return false;
  half.bytes = info.bytes;
  half.created = info.modified_ns > 0 ? static_cast<std::uint64_t>(info.modified_ns) / 1'000'000'000 : 0;
  int error = 0;
  const auto file = directory.open(name, Directory::Open::read, error);
  if (!file) return true;
  try {
    const PreprocessingHeader header = read_preprocessing_header(*file, name);
    // A damaged time must not keep it for ever.
    half.created = std::min(half.created, header.created);
    half.owner = header.owner;
    half.role = header.role;
    half.package = header.package;
    half.id = header.id;
    half.readable = true;
  } catch (const Error&) {
    // PreprocessingStore::claim says what is wrong with it. One that was wiped, and came back with its name when
    // the power failed, is over any age.
    if (is_wiped(*file)) half.created = 0;
  }
  return true;
}

}  // namespace

bool is_preprocessing_name(const std::string& name, std::string_view ending) {
  return name.size() == kHexBytes + ending.size() && name.ends_with(ending) &&
         name.find_first_not_of("0123456789abcdef") == kHexBytes;
}

void PreprocessingIndex::refresh(Directory& directory) {
  std::vector<std::string> names;
  if (const int error = directory.list(names); error != 0)
    fail_input("cannot read the directory {}: {}", directory.name(), std::strerror(error));
  std::erase_if(names, [](const std::string& name) { return !is_preprocessing_name(name, kReadyEnding); });
  const std::set<std::string> there(names.begin(), names.end());
  std::vector<std::string> gone;
  for (const auto& [name, half] : halves_) {
    if (!there.contains(name) || !half.readable) gone.push_back(name);
  }
  for (const std::string& name : gone) remove(name);
  for (const std::string& name : there) {
    Half half;
    if (!halves_.contains(name) && describe(directory, name, half)) add(name, half);
  }
}

void PreprocessingIndex::add(const std::string& name, const Half& half) {
  remove(name);
  halves_.emplace(name, half);
  for (Sum* sum : {&all_, &owners_[half.owner]}) {
    ++sum->count;
    sum->bytes += half.bytes;
  }
}

void PreprocessingIndex::remove(const std::string& name) {
  const auto found = halves_.find(name);
  if (found == halves_.end()) return;
  const auto owner = owners_.find(found->second.owner);
  for (Sum* sum : {&all_, &owner->second}) {
    --sum->count;
    sum->bytes -= found->second.bytes;
  }
  if (owner->second.count == 0) owners_.erase(owner);
  halves_.erase(found);
}

PreprocessingIndex::Sum PreprocessingIndex::of(const StoreOwner& owner) const {
  const auto found = owners_.find(owner);
  return found == owners_.end() ? Sum{} : found->second;
}

}  // namespace ap::protocol
