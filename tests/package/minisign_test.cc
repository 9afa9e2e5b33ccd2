// Signatures against frozen files of the real minisign, in both directions: what it wrote is read and
// verified, and what this program writes is what it wrote, byte for byte (Ed25519 draws nothing).
#include "package/minisign.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "base/files.h"
#include "package/package.h"
#include "tests/base/temporary_directory.h"
#include "tests/package/minisign_files.h"
#include "tests/package/small_package.h"

namespace ap::package {
namespace {

using namespace minisign_files;

const Bytes kHello = {'H', 'e', 'l', 'l', 'o', '\n'};
constexpr KeyCost kQuick{32768, std::uint64_t{16} << 20};

std::string_view view_of(const SecretVector<char>& text) { return {text.data(), text.size()}; }

/// The line of a text, from 0.
std::string line(const std::string& text, int number) {
  std::istringstream lines(text);
  std::string one;
  for (int i = 0; i <= number; ++i) std::getline(lines, one);
  return one;
}

void expect_refused(ErrorCode code, const std::string& word, const std::function<void()>& act) {
  try {
    act();
    ADD_FAILURE() << "accepted, where \"" << word << "\" was expected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
  }
}

TEST(Minisign, ItsFilesAreRead) {
  const PublicKey key = parse_public_key(kPublic, "x.pub");
  EXPECT_EQ(parse_public_key(to_line(key), "line"), key);
  EXPECT_EQ(to_text(key), kPublic);
  EXPECT_FALSE(needs_password(kSecret, "x.key"));
  EXPECT_EQ(parse_secret_key(kSecret, "", "x.key").public_key(), key);
  EXPECT_EQ(verify(kHello, kSignature, key, "hello"), kComment);
}

TEST(Minisign, SignaturesAreTheSame) {
  const std::string ours = sign(kHello, parse_secret_key(kSecret, "", "x.key"), kComment);
  for (const int i : {1, 2, 3}) EXPECT_EQ(line(ours, i), line(kSignature, i));
  EXPECT_EQ(line(ours, 0).rfind("untrusted comment: ", 0), 0u);
}

TEST(Minisign, ItsLockedKeyOpensWithThePassword) {
  EXPECT_TRUE(needs_password(kLockedSecret, "x.key"));
  if (!std::getenv("AP_SLOW")) GTEST_SKIP() << "takes a gigabyte and seconds; set AP_SLOW";
  const PublicKey key = parse_public_key(kLockedPublic, "x.pub");
  EXPECT_EQ(parse_secret_key(kLockedSecret, kPassword, "x.key").public_key(), key);
  expect_refused(ErrorCode::input, "password", [] { parse_secret_key(kLockedSecret, "Geheim", "x.key"); });
}

TEST(Minisign, KeysSurviveTheirFiles) {
  const SecretKey key = make_key();
  for (const char* password : {"", "a password"}) {
    const SecretVector<char> text = to_text(key, password, kQuick);
    EXPECT_EQ(needs_password(view_of(text), "x.key"), *password != 0);
    const SecretKey read = parse_secret_key(view_of(text), password, "x.key");
    EXPECT_EQ(read.key, key.key);
    EXPECT_EQ(read.id, key.id);
  }
  EXPECT_NE(make_key().key, key.key);
  const SecretVector<char> text = to_text(key, "a password", kQuick);
  EXPECT_NE(to_text(key, "a password", kQuick), text);  // another salt
  expect_refused(ErrorCode::input, "password", [&] { parse_secret_key(view_of(text), "another", "x.key"); });
}

TEST(Minisign, WhatIsNoKey) {
  for (const std::string text : {"", "RW", "untrusted comment: x\n", "untrusted comment: x\nRW\n",
                                 "RWSU7o3AlRWL0bMWTcD6ZDaVXe9v7pU417GtifDKMcyVzWR+ZmRS68mPAA",
                                 "AASU7o3AlRWL0bMWTcD6ZDaVXe9v7pU417GtifDKMcyVzWR+ZmRS68mP"}) {
    expect_refused(ErrorCode::input, "no public key", [&] { parse_public_key(text, "x.pub"); });
    expect_refused(ErrorCode::input, "no secret key", [&] { parse_secret_key(text, "", "x.key"); });
  }
  expect_refused(ErrorCode::input, "no secret key", [&] { parse_secret_key(kPublic, "", "x.key"); });
}

TEST(Minisign, SecretKeysThatWouldHarm) {
  // 158 bytes, of which some are changed.
  const auto changed = [](const std::function<void(Bytes&)>& change) {
    SecretKey key = make_key();
    Bytes halves(key.key.begin(), key.key.end());
    change(halves);
    key.key.assign(halves.begin(), halves.end());
    return to_text(key, "");
  };
  // Halves that do not belong together: two signatures of one text would give the seed away.
  const SecretVector<char> mixed = changed([](Bytes& halves) { halves[40] ^= 1; });
  expect_refused(ErrorCode::input, "halves", [&] { parse_secret_key(view_of(mixed), "", "x.key"); });
  // Limits that would take all memory.
  const SecretVector<char> greedy = to_text(make_key(), "p", {32768, std::uint64_t{16} << 20});
  std::string text(greedy.begin(), greedy.end());
  const std::size_t base = text.find('\n') + 1;
  // Bytes 46 to 53 of the key are the memory limit; characters 64 to 67 hold bytes 48 to 50.
  text.replace(base + 64, 4, "////");
  expect_refused(ErrorCode::input, "memory", [&] { parse_secret_key(text, "p", "x.key"); });
}

TEST(Minisign, NothingElseVerifies) {
  const PublicKey key = parse_public_key(kPublic, "x.pub");
  Bytes file = kHello;
  file[0] ^= 1;
  expect_refused(ErrorCode::security, "was changed", [&] { verify(file, kSignature, key, "hello"); });
  file = kHello;
  file.push_back(0);
  expect_refused(ErrorCode::security, "was changed", [&] { verify(file, kSignature, key, "hello"); });
  expect_refused(ErrorCode::security, "not with the publisher's key",
                 [&] { verify(kHello, kSignature, make_key().public_key(), "hello"); });
  PublicKey same_id = make_key().public_key();
  same_id.id = key.id;
  expect_refused(ErrorCode::security, "was changed", [&] { verify(kHello, kSignature, same_id, "hello"); });
  for (const char* none : {"", "\n\n\n\n", "untrusted comment: x\nRWQ=\ntrusted comment: y\nAAAA\n"}) {
    expect_refused(ErrorCode::security, "none of minisign", [&] { verify(kHello, none, key, "hello"); });
  }
  // Every character of the signed lines counts.
  const std::string good = kSignature;
  const std::size_t begin = good.find('\n') + 1;
  for (std::size_t i = begin; i < good.size() - 1; ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    try {
      verify(kHello, bad, key, "hello");
      ADD_FAILURE() << "character " << i;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::security);
    }
  }
}

TEST(Minisign, PackagesAreCheckedBeforeTheyAreRead) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "client.apm";
  const SecretKey secret = make_key();
  const PublicKey key = secret.public_key(), other = make_key().public_key();
  const auto write_signature = [&](ByteView file) {
    const std::string text = sign(file, secret, "file:client.apm");
    write_file(signature_path(path), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  const Pair pair = make_packages(small_package());
  write_file(path, pair.client);
  expect_refused(ErrorCode::security, "is not signed", [&] { load(path, &key); });
  write_signature(pair.client);
  EXPECT_EQ(load(path, Party::client, &key).id, pair.id);
  EXPECT_EQ(load(path).id, pair.id);
  expect_refused(ErrorCode::security, "publisher's key", [&] { load(path, &other); });
  // What would be refused as damaged is refused as not the publisher's.
  const Bytes noise(100, 0x5a);
  write_file(path, noise);
  expect_refused(ErrorCode::security, "was changed", [&] { load(path, &key); });
  write_signature(noise);
  expect_refused(ErrorCode::input, "not an AutoPrivacy package", [&] { load(path, &key); });
}

}  // namespace
}  // namespace ap::package
