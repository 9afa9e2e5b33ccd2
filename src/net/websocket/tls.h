// Who the server is (certificate and key) and whom the client trusts. TLS 1.3 only, everywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/memory.h"

namespace ap::net {

/// A certificate (with its chain, leaf first) and the private key of its leaf, both PEM.
struct TlsIdentity {
  std::string certificate_pem;
  SecretVector<char> key_pem;
};

/// A fresh P-256 key and a certificate signed by itself for `host` (a name or an address), localhost,
/// 127.0.0.1 and ::1, valid for one year. For machines of one owner: the client pins its fingerprint.
/// @throws Error(input) if `host` is no host name or address.
TlsIdentity make_self_signed(const std::string& host);

/// @throws Error(input) if a file cannot be read, is not PEM, is encrypted, or the key is not the
/// certificate's.
TlsIdentity load_identity(const std::filesystem::path& certificate, const std::filesystem::path& key);

/// SHA-256 of the leaf certificate (its DER form) as 64 lower-case hexadecimal digits.
std::string certificate_fingerprint(const TlsIdentity& identity);

/// What a client accepts as the server's certificate.
struct TlsTrust {
  enum class Kind {
    system,       ///< signed by an authority the operating system trusts, for the host of the URL
    authorities,  ///< signed by an authority in a PEM file, for the host of the URL
    pinned,       ///< exactly the certificate with this fingerprint, whatever its names and dates
  };
  Kind kind = Kind::system;
  std::string value;  ///< file name or fingerprint

  static TlsTrust system_authorities() { return {}; }
  static TlsTrust authorities_in(const std::filesystem::path& pem_file) {
    return {Kind::authorities, pem_file.string()};
  }
  /// Hexadecimal, colons and either case allowed. @throws Error(input) if it is not 32 bytes.
  static TlsTrust pinned_certificate(const std::string& fingerprint);
};

}  // namespace ap::net
