#include "net/websocket/tls.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "tests/net/websocket/test_support.h"

namespace ap::net {
namespace {

class TlsFiles : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, ByteView bytes) {
    const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / ("ap_tls_" + name);
    write_file(path, bytes);
    return path;
  }
  std::filesystem::path write(const std::string& name, std::string_view text) {
    return write(name, ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  std::filesystem::path write_key(const std::string& name, const TlsIdentity& identity) {
    return write(name, std::string_view(identity.key_pem.data(), identity.key_pem.size()));
  }
};

TEST_F(TlsFiles, LoadsWhatMakeSelfSignedMakes) {
  const TlsIdentity made = make_self_signed("server.example");
  const TlsIdentity loaded =
      load_identity(write("cert.pem", made.certificate_pem), write_key("key.pem", made));
  EXPECT_EQ(loaded.certificate_pem, made.certificate_pem);
  EXPECT_EQ(loaded.key_pem, made.key_pem);
  EXPECT_EQ(certificate_fingerprint(loaded), certificate_fingerprint(made));
}

TEST_F(TlsFiles, NamesTheBadFile) {
  const TlsIdentity one = make_self_signed("localhost");
  const TlsIdentity two = make_self_signed("localhost");
  const auto certificate = write("one.pem", one.certificate_pem);
  const auto key = write_key("one.key", one);
  const auto junk = write("junk.pem", std::string_view("no PEM here"));
  expect_error([&] { load_identity("/nonexistent.pem", key); }, ErrorCode::input, "/nonexistent.pem");
  expect_error([&] { load_identity(junk, key); }, ErrorCode::input, "junk.pem holds no PEM certificate");
  expect_error([&] { load_identity(certificate, junk); }, ErrorCode::input,
               "junk.pem holds no unencrypted PEM");
  expect_error([&] { load_identity(certificate, write_key("two.key", two)); }, ErrorCode::input,
               "two.key does not belong to the first certificate");
}

TEST(Tls, SelfSignedCertificatesAreFresh) {
  const TlsIdentity one = make_self_signed("localhost");
  const TlsIdentity two = make_self_signed("localhost");
  EXPECT_NE(one.key_pem, two.key_pem);
  EXPECT_NE(certificate_fingerprint(one), certificate_fingerprint(two));
  EXPECT_EQ(certificate_fingerprint(one).size(), 64u);
}

TEST(Tls, SelfSignedTakesNamesAndAddressesOnly) {
  for (const char* host : {"a", "10.1.2.3", "fe80::1", "some-host.example.org"}) {
    EXPECT_NO_THROW(make_self_signed(host)) << host;
  }
  EXPECT_NO_THROW(make_self_signed(std::string(200, 'a')));
  for (const char* host : {"", "a b", "x,DNS:evil.example", "x:y", "a/b"}) {
    expect_error([&] { make_self_signed(host); }, ErrorCode::input, "neither a host name nor an address");
  }
}

TEST(Tls, FingerprintsAreReadInBothSpellings) {
  const std::string digits = certificate_fingerprint(test_identity());
  std::string spelled;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i % 2 == 0) spelled += ':';
    spelled += static_cast<char>(std::toupper(static_cast<unsigned char>(digits[i])));
  }
  EXPECT_EQ(TlsTrust::pinned_certificate(spelled).value, digits);
  for (const std::string& bad : {std::string(), digits.substr(1), digits + "0", std::string(64, 'g')}) {
    expect_error([&] { TlsTrust::pinned_certificate(bad); }, ErrorCode::input, "64 hexadecimal digits");
  }
}

}  // namespace
}  // namespace ap::net
