// What lies in a store's directory, by name: kept in memory, so that neither a limit nor an age needs the
// directory or a header to be read again. A copy of the truth, which is the directory: PreprocessingStore has
// it rebuilt when another process, or a person, has changed the directory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/directory.h"
#include "protocol/store/preprocessing_file.h"

namespace ap::protocol {

inline constexpr std::string_view kReadyEnding = ".material", kPartialEnding = ".partial",
                                  kClaimedEnding = ".claimed";

/// Whether a name is 32 hexadecimal digits and this ending.
bool is_preprocessing_name(const std::string& name, std::string_view ending);

class PreprocessingIndex {
 public:
  struct Half {
    std::uint64_t created = 0;  ///< of one that cannot be read: when its file was last changed
    std::uint64_t bytes = 0;    ///< of the file
    StoreOwner owner;           ///< of one that cannot be read: the store's own user
    bool readable = false;      ///< its header is whole; everything else counts all the same
    Party role = Party::client;
    package::PackageId package{};
    std::array<std::uint8_t, 16> id{};
  };
  struct Sum {
    std::size_t count = 0;
    std::uint64_t bytes = 0;
  };

  /// Takes in what is new in the directory and drops what is gone; headers known are not read again.
  /// @throws Error(input) if the directory cannot be read.
  void refresh(Directory& directory);
  void add(const std::string& name, const Half& half);
  void remove(const std::string& name);

  const std::map<std::string, Half>& halves() const { return halves_; }
  Sum all() const { return all_; }
  Sum of(const StoreOwner& owner) const;

 private:
  std::map<std::string, Half> halves_;
  std::map<StoreOwner, Sum> owners_;
  Sum all_;
};

}  // namespace ap::protocol
