#include "protocol/store/preprocessing_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "crypto/sha256.h"
#include "random/prng.h"

namespace ap::protocol {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic = {'A', 'P', 'S', 'T', 'O', 'R', 'E', 0};
constexpr std::uint16_t kVersion = 4;
constexpr std::size_t kKeyAt = 92, kDigestAt = 124, kDigestBytes = 32;
/// Encrypted and written at a time.
constexpr std::size_t kChunk = std::size_t{1} << 20;

using crypto::Sha256;
static_assert(std::tuple_size_v<Sha256::Digest> == kDigestBytes);

/// Encrypts or decrypts `bytes` in all, chunk after chunk.
class KeyStream {
 public:
  KeyStream(ByteView key, std::uint64_t bytes)
      : prng_(seed_of(key)), pad_(std::min<std::uint64_t>(bytes, kChunk)) {}
  void apply(std::span<std::uint8_t> chunk) {
    const auto pad = std::span<std::uint8_t>(pad_).first(chunk.size());
    prng_.fill(pad);
    for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<std::uint8_t>(chunk[i] ^ pad[i]);
  }

 private:
  static Prng seed_of(ByteView key) {
    Seed seed;
    std::copy_n(key.begin(), seed.size(), seed.begin());
    Prng prng(seed);
    wipe(seed.data(), seed.size());
    return prng;
  }
  Prng prng_;
  SecretBytes pad_;
};

void write_at(DirectoryFile& file, const std::string& name, ByteView bytes, std::uint64_t offset) {
  if (const int error = write_all(file, bytes, offset); error != 0)
    fail_input("cannot write {}: {}", name, std::strerror(error));
}

/// False if the file ends before.
bool read_at(DirectoryFile& file, const std::string& name, std::span<std::uint8_t> bytes,
             std::uint64_t offset) {
  std::size_t got = 0;
  if (const int error = read_all(file, bytes, offset, got); error != 0)
    fail_input("cannot read {}: {}", name, std::strerror(error));
  return got == bytes.size();
}

void sync_file(DirectoryFile& file, const std::string& name) {
  if (const int error = file.sync(); error != 0) fail_input("cannot sync {}: {}", name, std::strerror(error));
}

SecretBytes read_header_bytes(DirectoryFile& file, const std::string& name) {
  SecretBytes bytes(kPreprocessingHeaderBytes);
  if (!read_at(file, name, bytes, 0)) fail_input("{} is too short for a stored inference; delete it", name);
  return bytes;
}

template <std::size_t kBytes>
void read_into(ByteReader& in, std::array<std::uint8_t, kBytes>& out) {
  const ByteView bytes = in.raw(kBytes);
  std::copy(bytes.begin(), bytes.end(), out.begin());
}

PreprocessingHeader parse(DirectoryFile& file, const std::string& name, ByteView bytes) {
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
    fail_input("{} is no stored inference; delete it or give another directory", name);
  }
  ByteReader in(bytes.subspan(kMagic.size()), name);
  if (const int version = in.u16(); version != kVersion) {
    fail_input("{} has version {} of the format of stored inferences, this program reads {}; delete it", name,
               version, kVersion);
  }
  PreprocessingHeader header;
  header.role = static_cast<Party>(in.u8());
  const int kind = in.u8();
  read_into(in, header.package);
  read_into(in, header.id);
  header.created = in.u64();
  header.payload_bytes = in.u64();
  read_into(in, header.owner.tag);
  if (kind > static_cast<int>(StoreOwner::Kind::address)) {
    fail_input("{} belongs to an unknown kind of owner ({}); it is damaged, delete it", name, kind);
  }
  header.owner.kind = static_cast<StoreOwner::Kind>(kind);
  FileInfo info;
  if (const int error = file.info(info); error != 0)
    fail_input("cannot read {}: {}", name, std::strerror(error));
  if (info.bytes < kPreprocessingHeaderBytes ||
      info.bytes - kPreprocessingHeaderBytes != header.payload_bytes) {
    fail_input("{} has {} bytes, not as many as its header says; it is damaged, delete it", name, info.bytes);
  }
  return header;
}

}  // namespace

void write_preprocessing(DirectoryFile& file, const std::string& name, const PreprocessingHeader& header,
                         ByteView payload) {
  AP_ASSERT(header.payload_bytes == payload.size());
  SecretWriter out;
  out.array(kMagic);
  out.u8(kVersion);
  out.u8(0);
  out.u8(static_cast<std::uint8_t>(header.role));
  out.u8(static_cast<std::uint8_t>(header.owner.kind));
  out.array(header.package);
  out.array(header.id);
  out.u64(header.created);
  out.u64(header.payload_bytes);
  out.array(header.owner.tag);
  Seed key = random_seed();
  out.array(key);
  wipe(key.data(), key.size());
  AP_ASSERT(out.bytes().size() == kDigestAt);

  Sha256 digest;
  digest.add(out.bytes());
  KeyStream stream(ByteView(out.bytes()).subspan(kKeyAt), payload.size());
  SecretBytes chunk;
  for (std::size_t at = 0; at < payload.size(); at += kChunk) {
    const ByteView part = payload.subspan(at, std::min(kChunk, payload.size() - at));
    chunk.assign(part.begin(), part.end());
    stream.apply(chunk);
    digest.add(chunk);
    write_at(file, name, chunk, kPreprocessingHeaderBytes + at);
  }
  out.array(digest.value());
  write_at(file, name, out.bytes(), 0);
  sync_file(file, name);
}

PreprocessingHeader read_preprocessing_header(DirectoryFile& file, const std::string& name) {
  return parse(file, name, read_header_bytes(file, name));
}

SecretBytes read_preprocessing(DirectoryFile& file, const std::string& name) {
  const SecretBytes header = read_header_bytes(file, name);
  SecretBytes payload(parse(file, name, header).payload_bytes);
  Sha256 digest;
  digest.add(ByteView(header).first(kDigestAt));
  KeyStream stream(ByteView(header).subspan(kKeyAt), payload.size());
  for (std::size_t at = 0; at < payload.size(); at += kChunk) {
    const auto chunk = std::span(payload).subspan(at, std::min(kChunk, payload.size() - at));
    if (!read_at(file, name, chunk, kPreprocessingHeaderBytes + at)) {
      fail_input("{} ended at byte {}; it is damaged and was removed", name, kPreprocessingHeaderBytes + at);
    }
    digest.add(chunk);
    stream.apply(chunk);
  }
  const Sha256::Digest found = digest.value();
  if (!std::equal(found.begin(), found.end(), header.begin() + kDigestAt)) {
    fail_input("{} is damaged (its hash does not match) and was removed; prepare another inference", name);
  }
  return payload;
}

void wipe_preprocessing(DirectoryFile& file, const std::string& name) {
  write_at(file, name, Bytes(kPreprocessingHeaderBytes), 0);
  sync_file(file, name);
}

bool is_wiped(DirectoryFile& file) {
  Bytes header(kPreprocessingHeaderBytes);
  std::size_t got = 0;
  return read_all(file, header, 0, got) == 0 && got == header.size() &&
         std::all_of(header.begin(), header.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace ap::protocol
