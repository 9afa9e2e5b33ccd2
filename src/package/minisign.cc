#if !defined(AP_PLAIN_CRYPTO)
#include "package/minisign.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace ap::package {
namespace {

constexpr std::string_view kUntrusted = "untrusted comment: ", kTrusted = "trusted comment: ";
constexpr std::string_view kKeyType = "Ed", kHashed = "ED", kScrypt = "Sc", kChecksumType = "B2";
constexpr std::string_view kNoPassword{"\0\0", 2};
constexpr std::size_t kPublicBytes = 2 + 8 + 32, kSignatureBytes = 2 + 8 + 64;
// Of a secret key's file, in this order: types of key, derivation and checksum; salt; limits; the key itself.
constexpr std::size_t kSaltBytes = 32, kSealedAt = 6 + kSaltBytes + 16;
// Key id, secret key, checksum: encrypted if there is a password.
constexpr std::size_t kSealedBytes = 8 + 64 + 32, kSecretBytes = kSealedAt + kSealedBytes;
// No file makes this program take more.
constexpr KeyCost kMostCost{std::uint64_t{1} << 28, std::uint64_t{2} << 30};
constexpr std::size_t kMaxCommentBytes = 8192;

void start() {
  if (::sodium_init() < 0) fail(ErrorCode::security, "libsodium cannot be started on this machine");
}

std::string base64(ByteView bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  ::sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the terminator
  return text;
}

/// Fills `out`; whether the text is base64 of exactly as many bytes.
bool from_base64(std::string_view text, std::span<std::uint8_t> out) {
  std::size_t length = 0;
  const char* end = nullptr;
  return ::sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
         length == out.size() && end == text.data() + text.size();
}

/// Cuts the first line off, without what ends it.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool begins(ByteView bytes, std::string_view type) { return std::memcmp(bytes.data(), type.data(), 2) == 0; }

std::string hex(const KeyId& id) {
  std::uint64_t number;
  std::memcpy(&number, id.data(), sizeof number);
  return fmt::format("{:016X}", number);  // as minisign writes it
}

using Hash = std::array<std::uint8_t, 64>;

Hash hash_of(ByteView file) {
  Hash hash;
  ::crypto_generichash(hash.data(), hash.size(), file.data(), file.size(), nullptr, 0);
  return hash;
}

/// What the checksum of a secret key covers.
std::array<std::uint8_t, 32> checksum(ByteView id_and_key) {
  crypto_generichash_state state;
  std::array<std::uint8_t, 32> sum;
  ::crypto_generichash_init(&state, nullptr, 0, sum.size());
  ::crypto_generichash_update(&state, reinterpret_cast<const std::uint8_t*>(kKeyType.data()),
                              kKeyType.size());
  ::crypto_generichash_update(&state, id_and_key.data(), id_and_key.size());
  ::crypto_generichash_final(&state, sum.data(), sum.size());
  ::sodium_memzero(&state, sizeof state);
  return sum;
}

/// Encrypts or decrypts the key's part of a secret key's file.
void apply_password(std::span<std::uint8_t> sealed, std::string_view password, ByteView salt,
                    const KeyCost& cost) {
  SecretVector<std::uint8_t> stream(sealed.size());
  if (::crypto_pwhash_scryptsalsa208sha256(stream.data(), stream.size(), password.data(), password.size(),
                                           salt.data(), cost.operations, cost.memory_bytes) != 0) {
    throw std::bad_alloc();
  }
  for (std::size_t i = 0; i < sealed.size(); ++i) sealed[i] ^= stream[i];
}

/// The bytes of a secret key's file.
SecretVector<std::uint8_t> secret_bytes(std::string_view text, const std::string& name) {
  const std::string_view comment = next_line(text), line = next_line(text);
  SecretVector<std::uint8_t> bytes(kSecretBytes);
  if (!comment.starts_with(kUntrusted) || !from_base64(line, bytes) || !begins(bytes, kKeyType) ||
      !begins(ByteView(bytes).subspan(4), kChecksumType)) {
    fail_input("{} is no secret key of minisign; `autoprivacy keygen` makes one", name);
  }
  const ByteView derivation = ByteView(bytes).subspan(2);
  if (!begins(derivation, kScrypt) && !begins(derivation, kNoPassword)) {
    fail_input("{} is a secret key that is protected in a way which this version does not know", name);
  }
  return bytes;
}

}  // namespace

PublicKey SecretKey::public_key() const {
  PublicKey result;
  result.id = id;
  std::copy_n(key.begin() + 32, 32, result.key.begin());
  return result;
}

SecretKey make_key() {
  start();
  SecretKey key;
  key.key.resize(64);
  std::array<std::uint8_t, 32> ignored;
  ::crypto_sign_keypair(ignored.data(), key.key.data());
  ::randombytes_buf(key.id.data(), key.id.size());
  return key;
}

std::string to_line(const PublicKey& key) {
  ByteWriter out;
  out.raw({reinterpret_cast<const std::uint8_t*>(kKeyType.data()), kKeyType.size()});
  out.raw(key.id);
  out.raw(key.key);
  return base64(out.bytes());
}

std::string to_text(const PublicKey& key) {
  return fmt::format("{}minisign public key {}\n{}\n", kUntrusted, hex(key.id), to_line(key));
}

PublicKey parse_public_key(std::string_view text, const std::string& name) {
  std::string_view line = next_line(text);
  if (line.starts_with(kUntrusted)) line = next_line(text);
  std::array<std::uint8_t, kPublicBytes> bytes;
  if (!from_base64(line, bytes) || !begins(bytes, kKeyType)) {
    fail_input("{} is no public key of minisign: its line of 56 characters, or a file with it, is expected",
               name);
  }
  PublicKey key;
  std::copy_n(bytes.begin() + 2, key.id.size(), key.id.begin());
  std::copy_n(bytes.begin() + 10, key.key.size(), key.key.begin());
  return key;
}

SecretVector<char> to_text(const SecretKey& key, std::string_view password, const KeyCost& cost) {
  start();
  SecretVector<std::uint8_t> bytes(kSecretBytes);
  const auto put = [&](std::size_t at, const void* from, std::size_t count) {
    std::memcpy(bytes.data() + at, from, count);
  };
  const std::span<std::uint8_t> salt = std::span(bytes).subspan(6, kSaltBytes);
  const std::span<std::uint8_t> sealed = std::span(bytes).subspan(kSealedAt);
  put(0, kKeyType.data(), 2);
  put(4, kChecksumType.data(), 2);
  put(kSealedAt, key.id.data(), key.id.size());
  put(kSealedAt + 8, key.key.data(), key.key.size());
  const auto sum = checksum(sealed.first(8 + 64));
  put(kSealedAt + 8 + 64, sum.data(), sum.size());
  if (!password.empty()) {
    put(2, kScrypt.data(), 2);
    ::randombytes_buf(salt.data(), salt.size());
    put(6 + kSaltBytes, &cost.operations, 8);
    put(6 + kSaltBytes + 8, &cost.memory_bytes, 8);
    apply_password(sealed, password, salt, cost);
  }
  const std::string comment =
      fmt::format("{}minisign {}secret key\n", kUntrusted, password.empty() ? "" : "encrypted ");
  SecretVector<char> text(comment.begin(), comment.end());
  SecretVector<char> line(sodium_base64_ENCODED_LEN(kSecretBytes, sodium_base64_VARIANT_ORIGINAL));
  ::sodium_bin2base64(line.data(), line.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  line.back() = '\n';
  text.insert(text.end(), line.begin(), line.end());
  return text;
}

bool needs_password(std::string_view text, const std::string& name) {
  return begins(ByteView(secret_bytes(text, name)).subspan(2), kScrypt);
}

SecretKey parse_secret_key(std::string_view text, std::string_view password, const std::string& name) {
  start();
  SecretVector<std::uint8_t> bytes = secret_bytes(text, name);
  const std::span<std::uint8_t> sealed = std::span(bytes).subspan(kSealedAt);
  const bool encrypted = begins(ByteView(bytes).subspan(2), kScrypt);
  if (encrypted) {
    KeyCost cost;
    std::memcpy(&cost.operations, bytes.data() + 6 + kSaltBytes, 8);
    std::memcpy(&cost.memory_bytes, bytes.data() + 6 + kSaltBytes + 8, 8);
    if (cost.operations > kMostCost.operations || cost.memory_bytes > kMostCost.memory_bytes) {
      fail_input(
          "{} asks for {} operations and {} bytes of memory to be opened, at most {} and {} are allowed",
          name, cost.operations, cost.memory_bytes, kMostCost.operations, kMostCost.memory_bytes);
    }
    apply_password(sealed, password, ByteView(bytes).subspan(6, kSaltBytes), cost);
  }
  const ByteView id_and_key = sealed.first(8 + 64);
  const auto sum = checksum(id_and_key);
  // Without a password minisign leaves the checksum out.
  const bool unchecked = !encrypted && ::sodium_is_zero(sealed.data() + 8 + 64, 32) != 0;
  if (!unchecked && ::sodium_memcmp(sum.data(), sealed.data() + 8 + 64, sum.size()) != 0) {
    if (encrypted) fail_input("the password of {} is another", name);
    fail_input("{} is damaged: its checksum does not match", name);
  }
  SecretKey key;
  std::copy_n(id_and_key.begin(), key.id.size(), key.id.begin());
  key.key.assign(id_and_key.begin() + 8, id_and_key.end());
  // A public half that does not belong to the seed would make signatures tell the seed.
  std::array<std::uint8_t, 32> belongs;
  SecretVector<std::uint8_t> whole(64);
  ::crypto_sign_seed_keypair(belongs.data(), whole.data(), key.key.data());
  if (whole != key.key) fail_input("{} is damaged: its two halves do not belong together", name);
  return key;
}

std::string sign(ByteView file, const SecretKey& key, const std::string& trusted_comment) {
  AP_ASSERT(trusted_comment.find('\n') == std::string::npos && trusted_comment.size() <= kMaxCommentBytes);
  start();
  const Hash hash = hash_of(file);
  std::array<std::uint8_t, 64> signature, global;
  ::crypto_sign_detached(signature.data(), nullptr, hash.data(), hash.size(), key.key.data());
  ByteWriter first;
  first.raw({reinterpret_cast<const std::uint8_t*>(kHashed.data()), kHashed.size()});
  first.raw(key.id);
  first.raw(signature);
  ByteWriter signed_too;
  signed_too.raw(signature);
  signed_too.raw({reinterpret_cast<const std::uint8_t*>(trusted_comment.data()), trusted_comment.size()});
  ::crypto_sign_detached(global.data(), nullptr, signed_too.bytes().data(), signed_too.bytes().size(),
                         key.key.data());
  return fmt::format("{}signature of an AutoPrivacy package\n{}\n{}{}\n{}\n", kUntrusted,
                     base64(first.bytes()), kTrusted, trusted_comment, base64(global));
}

std::string verify(ByteView file, std::string_view signature, const PublicKey& key, const std::string& name) {
  start();
  const std::string_view untrusted = next_line(signature), first_line = next_line(signature);
  const std::string_view comment_line = next_line(signature), global_line = next_line(signature);
  std::array<std::uint8_t, kSignatureBytes> first;
  std::array<std::uint8_t, 64> global;
  if (!untrusted.starts_with(kUntrusted) || !comment_line.starts_with(kTrusted) ||
      comment_line.size() > kMaxCommentBytes || !from_base64(first_line, first) ||
      !from_base64(global_line, global)) {
    fail_security("the signature of {} is none of minisign; sign the package again", name);
  }
  if (!begins(first, kHashed)) {
    fail_security(
        "the signature of {} is of a kind that this version does not check "
        "(minisign's legacy one?); sign the package again",
        name);
  }
  KeyId id;
  std::copy_n(first.begin() + 2, id.size(), id.begin());
  if (id != key.id) {
    fail_security("{} is signed with key {}, not with the publisher's key {}; do not use it", name, hex(id),
                  hex(key.id));
  }
  const Hash hash = hash_of(file);
  const std::uint8_t* by_key = first.data() + 10;
  if (::crypto_sign_verify_detached(by_key, hash.data(), hash.size(), key.key.data()) != 0) {
    fail_security(
        "the signature of {} does not belong to it: the file or its signature was changed; do not use it",
        name);
  }
  const std::string_view comment = comment_line.substr(kTrusted.size());
  ByteWriter signed_too;
  signed_too.raw({by_key, 64});
  signed_too.raw({reinterpret_cast<const std::uint8_t*>(comment.data()), comment.size()});
  if (::crypto_sign_verify_detached(global.data(), signed_too.bytes().data(), signed_too.bytes().size(),
                                    key.key.data()) != 0) {
    fail_security("the comment in the signature of {} was changed; do not use it", name);
  }
  return std::string(comment);
}

}  // namespace ap::package
#endif
