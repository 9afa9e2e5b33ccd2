// Signatures of package files in the format of minisign (https://jedisct1.github.io/minisign/), so that
// either program checks what the other has signed: Ed25519 over the BLAKE2b-512 hash of the file, and over
// the signature and its trusted comment. Keys and signatures are short texts; docs/package-format.md
// describes them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/memory.h"

namespace ap::package {

using KeyId = std::array<std::uint8_t, 8>;

struct PublicKey {
  KeyId id{};
  std::array<std::uint8_t, 32> key{};
  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

struct SecretKey {
  KeyId id{};
  SecretVector<std::uint8_t> key;  ///< 64 bytes: seed and public key
  PublicKey public_key() const;
};

SecretKey make_key();

/// The two lines of a .pub file, and its second line alone: "RW" and 54 more characters.
std::string to_text(const PublicKey& key);
std::string to_line(const PublicKey& key);
/// Reads either of the two. `name` names it in messages.
/// @throws Error(input) if it is no public key.
PublicKey parse_public_key(std::string_view text, const std::string& name);

/// What protects a secret key's file from who reads it: scrypt's limits. Opening takes the same memory and
/// time.
struct KeyCost {
  std::uint64_t operations = std::uint64_t{1} << 25,
                memory_bytes = std::uint64_t{1} << 30;  ///< those of minisign
};
/// The text of a secret key's file; without a password it protects nothing. Wipe it.
SecretVector<char> to_text(const SecretKey& key, std::string_view password, const KeyCost& cost = {});
/// @throws Error(input) if it is no secret key.
bool needs_password(std::string_view text, const std::string& name);
/// @throws Error(input) if it is no secret key, or the password is another.
SecretKey parse_secret_key(std::string_view text, std::string_view password, const std::string& name);

/// The text of a .minisig file. `trusted_comment` is one line, and signed too.
std::string sign(ByteView file, const SecretKey& key, const std::string& trusted_comment);
/// Returns the trusted comment. `name` is that of the file that was signed.
/// @throws Error(security) unless `signature` is one of this file by this key.
std::string verify(ByteView file, std::string_view signature, const PublicKey& key, const std::string& name);

}  // namespace ap::package
