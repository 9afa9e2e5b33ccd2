#include "package/envelope.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "crypto/sha256.h"
#include "package/package.h"
#include "package/stored_frame.h"
#if !defined(AP_NO_ZSTD)
#include "package/zstd_frame.h"
#endif

namespace ap::package {
namespace {

// Layout (docs/package-format.md): magic, version, role, flags, sizes, zstd body, SHA-256 of all before it.
constexpr char kMagic[8] = {'A', 'P', 'M', '\r', '\n', 0x1a, 'p', 'n'};
constexpr std::uint16_t kVersion = 3;
constexpr std::size_t kHashBytes = 32;
constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxBody = std::uint64_t{1} << 31;
constexpr std::size_t kHeadBytes = 28, kRoleAt = 10, kKindAt = 11;
constexpr std::uint64_t kMaxSignatureFile = 1 << 16;

/// What ZSTD_compressBound says of so many bytes, and stored_frame never exceeds.
constexpr std::uint64_t packed_bound(std::uint64_t bytes) { return bytes + (bytes >> 8); }

Bytes frame_of(ByteView content) {
#if defined(AP_NO_ZSTD)
  return stored_frame(content);
#else
  return zstd_frame(content);
#endif
}

/// A file around the frame of `body_bytes` bytes of content.
Bytes framed(Party role, Kind kind, std::size_t body_bytes, ByteView packed) {
  ByteWriter out;
  out.raw({reinterpret_cast<const std::uint8_t*>(kMagic), sizeof kMagic});
  out.u16(kVersion);
  out.u8(static_cast<std::uint8_t>(role));
  out.u8(static_cast<std::uint8_t>(kind));
  out.u64(body_bytes);
  out.u64(packed.size());
  out.raw(packed);
  const PackageId digest = crypto::sha256(out.bytes());
  out.raw(digest);
  return out.take();
}

/// The largest body and file of a role.
std::uint64_t max_body(Party role) { return role == Party::client ? 4 + kMaxPublic : kMaxBody; }
std::uint64_t max_file(Party role) {
  return role == Party::client ? kHeadBytes + kHashBytes + packed_bound(4 + kMaxPublic) : kMaxFile;
}

void require_signature(const std::filesystem::path& path, ByteView file, const PublicKey& publisher) {
  const std::filesystem::path signature = signature_path(path);
  std::error_code ignored;
  if (!std::filesystem::exists(signature, ignored)) {
    fail_security("{} is not signed: there is no {}; get it from the publisher, or do not use the package",
                  path.string(), signature.string());
  }
  const Bytes text = read_file(signature, kMaxSignatureFile);
  verify(file, {reinterpret_cast<const char*>(text.data()), text.size()}, publisher, path.string());
}

Party role_of(int byte, const std::string& name) {
  if (byte == static_cast<int>(Party::client)) return Party::client;
  if (byte == static_cast<int>(Party::server)) return Party::server;
  fail_input("{} is damaged: it is for role {}, which does not exist", name, byte);
}

Kind kind_from(int byte, const std::string& name) {
  if (byte > static_cast<int>(Kind::he)) {
    fail_input("{} is for the protocol {}, which this program does not know; use a newer one", name, byte);
  }
  return static_cast<Kind>(byte);
}

}  // namespace

Envelope open_envelope(ByteView file, const std::string& name) {
  ByteReader in(file, "package " + name);
  if (file.size() < sizeof kMagic || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0) {
    fail_input("{} is not an AutoPrivacy package; make one with: autoprivacy compile MODEL.onnx", name);
  }
  in.raw(sizeof kMagic);
  if (const int version = in.u16(); version != kVersion) {
    fail_input("{} has package version {}, this program reads {}; compile the network again", name, version,
               kVersion);
  }
  const Party role = role_of(in.u8(), name);
  const Kind kind = kind_from(in.u8(), name);
  const std::uint64_t body_size = in.u64();
  const std::uint64_t packed_size = in.u64();
  if (in.remaining() < kHashBytes || packed_size != in.remaining() - kHashBytes) {
    fail_input("{} is damaged: {} bytes announced, {} there; copy it again", name, packed_size + kHashBytes,
               in.remaining());
  }
  const ByteView packed = in.raw(packed_size);
  const ByteView digest = in.raw(kHashBytes);
  const PackageId actual = crypto::sha256(file.first(file.size() - kHashBytes));
  if (!std::equal(digest.begin(), digest.end(), actual.begin())) {
    fail_input("{} is damaged: its checksum does not match; copy it again", name);
  }
  if (body_size > max_body(role)) {
    fail_input("{} declares a body of {} bytes, more than the {} allowed", name, body_size, max_body(role));
  }
  return {role, kind, body_size, packed};
}

Bytes file_of(Party role, Kind kind, ByteView body) {
  return framed(role, kind, body.size(), frame_of(body));
}

Bytes stored_file_of(Party role, Kind kind, ByteView body) {
  return framed(role, kind, body.size(), stored_frame(body));
}

Bytes read_package_file(const std::filesystem::path& path, const PublicKey* publisher) {
  // What is no package for a server is small.
  const Bytes head = read_start(path, kHeadBytes);
  const bool large = head.size() == kHeadBytes && head[kRoleAt] == static_cast<std::uint8_t>(Party::server);
  Bytes file = read_file(path, max_file(large ? Party::server : Party::client));
  if (publisher) require_signature(path, file, *publisher);
  return file;
}

Kind kind_of(const std::filesystem::path& path) {
  const Bytes head = read_start(path, kHeadBytes);
  if (head.size() < kHeadBytes || std::memcmp(head.data(), kMagic, sizeof kMagic) != 0) return Kind::hybrid;
  return head[kKindAt] == static_cast<std::uint8_t>(Kind::he) ? Kind::he : Kind::hybrid;
}

}  // namespace ap::package
