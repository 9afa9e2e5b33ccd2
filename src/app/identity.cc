// The certificate that a server makes for itself and keeps.
#include <string>
#include <string_view>

#include "app/server.h"
#include "base/error.h"
#include "base/files.h"
#include "base/secret_file.h"

namespace ap::app {
namespace {

constexpr std::uint64_t kMostBytes = 1 << 16;
constexpr std::string_view kKeyBegins = "-----BEGIN PRIVATE KEY-----";

}  // namespace

net::TlsIdentity kept_identity(const std::filesystem::path& file, const std::string& host) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    net::TlsIdentity made = net::make_self_signed(host);
    SecretVector<std::uint8_t> text(made.certificate_pem.begin(), made.certificate_pem.end());
    text.insert(text.end(), made.key_pem.begin(), made.key_pem.end());
    write_file(file, {text.data(), text.size()});
    return made;
  }
  const SecretVector<char> text = read_secret_file(file, kMostBytes);
  const std::size_t key = std::string_view(text.data(), text.size()).find(kKeyBegins);
  net::TlsIdentity kept;
  if (key != std::string_view::npos) {
    kept.certificate_pem.assign(text.data(), key);
    kept.key_pem.assign(text.begin() + static_cast<std::ptrdiff_t>(key), text.end());
  }
  try {
    if (key == std::string_view::npos) fail_input("there is no private key in it");
    net::certificate_fingerprint(kept);
  } catch (const Error& reason) {
    fail_input(
        "{} does not hold the certificate and key of this server: {}; remove it to have others made, which clients "
        "must then be told, or give --tls-cert and --tls-key",
        file.string(), reason.what());
  }
  return kept;
}

}  // namespace ap::app
