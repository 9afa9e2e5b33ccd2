// The outside of a package file, alike for every protocol (docs/package-format.md): magic, version, role, protocol, sizes, the
// compressed body, a checksum.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/party.h"
#include "package/minisign.h"

namespace ap::package {

/// What runs the network, and so what the body holds.
enum class Kind : std::uint8_t {
  hybrid = 0,  ///< package/package.h
  he = 1,      ///< homomorphic encryption alone (he_only/package/package.h)
};

/// Of the public part. That of a network of ImageNet scale has some tens of kilobytes; only a long list of indices (a gather
/// node) has more.
inline constexpr std::uint64_t kMaxPublic = std::uint64_t{16} << 20;

/// A file: known to be of this version and undamaged, of at most the size that its role allows.
struct Envelope {
  Party role;
  Kind kind;
  std::uint64_t body_size;
  ByteView packed;  ///< into the file
};
/// @throws Error(input) that names the file and what is wrong with it
Envelope open_envelope(ByteView file, const std::string& name);

/// A file with this body, compressed where this program can.
Bytes file_of(Party role, Kind kind, ByteView body);
/// The same without compression.
Bytes stored_file_of(Party role, Kind kind, ByteView body);

/// The file at a path, no larger than its role allows. With a publisher's key, it must be signed with it (in PATH.minisig).
/// @throws Error(input) if it cannot be read, Error(security) if it is not signed
Bytes read_package_file(const std::filesystem::path& path, const PublicKey* publisher = nullptr);
/// Of the file at a path, by its first bytes alone; hybrid for what is no package.
Kind kind_of(const std::filesystem::path& path);

}  // namespace ap::package
