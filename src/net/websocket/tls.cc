#include "net/websocket/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <span>

#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"

namespace ap::net {
namespace {

constexpr std::uint64_t kMaxPemBytes = 1 << 20;
constexpr long kValiditySeconds = 365L * 24 * 3600;
// Clocks of two machines differ; a certificate that starts a little in the past works on both.
constexpr long kClockSkewSeconds = 3600;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using MemoryBio = std::unique_ptr<BIO, Freer<BIO_free_all>>;

/// The text in a memory BIO.
std::span<const char> contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Certificate parse_certificate(std::span<const char> pem) {
  const MemoryBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  AP_ASSERT(bio);
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

int no_password(char*, int, int, void*) { return -1; }

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> raw{};
  return inet_pton(AF_INET, host.c_str(), raw.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), raw.data()) == 1;
}

std::string subject_alternative_names(const std::string& host) {
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (host == "localhost" || host == "127.0.0.1" || host == "::1") return names;
  return names + (is_address(host) ? ",IP:" : ",DNS:") + host;
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  AP_ASSERT(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void set_random_serial(X509* certificate) {
  std::array<unsigned char, 16> serial;
  AP_ASSERT(RAND_bytes(serial.data(), serial.size()) == 1);
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7f) | 0x40);  // positive, and always 16 bytes
  BIGNUM* number = BN_bin2bn(serial.data(), serial.size(), nullptr);
  AP_ASSERT(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)));
  BN_free(number);
}

}  // namespace

TlsIdentity make_self_signed(const std::string& host) {
  const bool plausible =
      !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](unsigned char c) {
        return std::isalnum(c) || c == '.' || c == '-' || c == ':' || c == '_';
      });
  if (!plausible || (host.find(':') != std::string::npos && !is_address(host))) {
    fail_input("cannot make a certificate for \"{}\": it is neither a host name nor an address", host);
  }
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  AP_ASSERT(key && certificate);
  AP_ASSERT(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  set_random_serial(certificate.get());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kClockSkewSeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValiditySeconds);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  // A common name holds at most 64 characters; clients look at the alternative names only.
  const std::string common = host.substr(0, 64);
  AP_ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                       reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1,
                                       0) == 1);
  AP_ASSERT(X509_set_issuer_name(certificate.get(), name) == 1);
  AP_ASSERT(X509_set_pubkey(certificate.get(), key.get()) == 1);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(certificate.get(), NID_ext_key_usage, "serverAuth");
  add_extension(certificate.get(), NID_subject_alt_name, subject_alternative_names(host));
  AP_ASSERT(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);

  const MemoryBio certificate_bio(BIO_new(BIO_s_mem()));
  const MemoryBio key_bio(BIO_new(BIO_s_secmem()));
  AP_ASSERT(certificate_bio && PEM_write_bio_X509(certificate_bio.get(), certificate.get()) == 1);
  AP_ASSERT(key_bio &&
            PEM_write_bio_PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  const auto certificate_pem = contents(certificate_bio.get());
  const auto key_pem = contents(key_bio.get());
  return {{certificate_pem.begin(), certificate_pem.end()}, {key_pem.begin(), key_pem.end()}};
}

TlsIdentity load_identity(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  const Bytes certificate_bytes = read_file(certificate, kMaxPemBytes);
  Bytes key_bytes = read_file(key, kMaxPemBytes);
  TlsIdentity identity{{certificate_bytes.begin(), certificate_bytes.end()},
                       {key_bytes.begin(), key_bytes.end()}};
  wipe(key_bytes.data(), key_bytes.size());
  const Certificate leaf = parse_certificate(identity.certificate_pem);
  if (!leaf) fail_input("{} holds no PEM certificate (-----BEGIN CERTIFICATE-----)", certificate.string());
  const MemoryBio bio(BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size())));
  const Key private_key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!private_key) fail_input("{} holds no unencrypted PEM private key", key.string());
  if (X509_check_private_key(leaf.get(), private_key.get()) != 1) {
    fail_input("the private key in {} does not belong to the first certificate in {}", key.string(),
               certificate.string());
  }
  return identity;
}

std::string certificate_fingerprint(const TlsIdentity& identity) {
  const Certificate leaf = parse_certificate(identity.certificate_pem);
  if (!leaf) fail_input("the server's certificate is not PEM");
  std::array<unsigned char, 32> digest{};
  AP_ASSERT(X509_digest(leaf.get(), EVP_sha256(), digest.data(), nullptr) == 1);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

TlsTrust TlsTrust::pinned_certificate(const std::string& fingerprint) {
  std::string digits;
  bool good = true;
  for (const unsigned char c : fingerprint) {
    if (c == ':') continue;
    good = good && std::isxdigit(c);
    digits.push_back(static_cast<char>(std::tolower(c)));
  }
  if (!good || digits.size() != 64) {
    fail_input("\"{}\" is no SHA-256 fingerprint of a certificate: 64 hexadecimal digits are needed",
               fingerprint);
  }
  return {Kind::pinned, digits};
}

}  // namespace ap::net
