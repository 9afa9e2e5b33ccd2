// The frame of a package file written once more, from docs/package-format.md alone: tests take files apart,
// damage them, and put them together with a right checksum.
#pragma once

#include <openssl/sha.h>
#include <zstd.h>

#include <stdexcept>

#include "base/bytes.h"

namespace ap::package {

struct PackageFile {
  Bytes head;  ///< the first 12 bytes: magic, version, role, reserved
  Bytes body;  ///< decompressed

  ByteView shared() const {
    std::uint32_t length;
    std::memcpy(&length, body.data(), 4);
    return ByteView(body).subspan(4, length);
  }
  ByteView rest() const { return ByteView(body).subspan(4 + shared().size()); }
};

inline PackageFile take_apart(ByteView file) {
  PackageFile parts;
  parts.head.assign(file.begin(), file.begin() + 12);
  std::uint64_t body_bytes, packed_bytes;
  std::memcpy(&body_bytes, file.data() + 12, 8);
  std::memcpy(&packed_bytes, file.data() + 20, 8);
  if (file.size() != 60 + packed_bytes) throw std::runtime_error("not 60 + Z bytes");
  parts.body.resize(body_bytes);
  if (ZSTD_decompress(parts.body.data(), body_bytes, file.data() + 28, packed_bytes) != body_bytes) {
    throw std::runtime_error("the body does not have B bytes");
  }
  return parts;
}

inline Bytes sign(Bytes head_and_body) {
  Bytes digest(32);
  SHA256(head_and_body.data(), head_and_body.size(), digest.data());
  head_and_body.insert(head_and_body.end(), digest.begin(), digest.end());
  return head_and_body;
}

/// A file with these sizes in its header, whatever the truth is.
inline Bytes assemble(ByteView head, std::uint64_t body_bytes, std::uint64_t packed_bytes, ByteView packed) {
  ByteWriter out;
  out.raw(head);
  out.u64(body_bytes);
  out.u64(packed_bytes);
  out.raw(packed);
  return sign(out.take());
}

inline Bytes put_together(const PackageFile& parts) {
  Bytes packed(ZSTD_compressBound(parts.body.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), parts.body.data(), parts.body.size(), 1));
  return assemble(parts.head, parts.body.size(), packed.size(), packed);
}

inline Bytes body_of(ByteView shared, ByteView rest) {
  ByteWriter out;
  out.u32(static_cast<std::uint32_t>(shared.size()));
  out.raw(shared);
  out.raw(rest);
  return out.take();
}

}  // namespace ap::package
