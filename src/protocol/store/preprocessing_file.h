// The file of one stored half (docs/store-format.md): a header with a key of its own, then the payload under
// that key.
#pragma once

#include <cstdint>
#include <string>

#include "base/directory.h"
#include "base/party.h"
#include "base/secret_bytes.h"
#include "package/package.h"
#include "protocol/store/store_owner.h"

namespace ap::protocol {

inline constexpr std::size_t kPreprocessingHeaderBytes = 156;

struct PreprocessingHeader {
  Party role = Party::client;
  package::PackageId package{};
  std::array<std::uint8_t, 16> id{};
  std::uint64_t created = 0;  ///< seconds since 1970
  std::uint64_t payload_bytes = 0;
  StoreOwner owner;
};

/// Writes header and payload to an empty file and syncs it. @throws Error(input) naming `name`.
void write_preprocessing(DirectoryFile& file, const std::string& name, const PreprocessingHeader& header,
                         ByteView payload);

/// @throws Error(input) if it is no header of this version or the file has another length than it says.
PreprocessingHeader read_preprocessing_header(DirectoryFile& file, const std::string& name);

/// @throws Error(input) if the file is damaged.
SecretBytes read_preprocessing(DirectoryFile& file, const std::string& name);

/// Overwrites the header, with it the key, and syncs it. @throws Error(input) if it cannot.
void wipe_preprocessing(DirectoryFile& file, const std::string& name);

/// Whether the header of a file was overwritten; false also if it cannot be read.
bool is_wiped(DirectoryFile& file);

}  // namespace ap::protocol
