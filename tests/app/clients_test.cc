#include "app/clients.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "net/websocket/tls.h"
#include "tests/base/temporary_directory.h"

namespace ap::app {
namespace {

const std::string kHash(64, 'a'), kOther(64, 'b');

std::string parse_error(const std::string& text) {
  try {
    parse_clients(text, "clients.txt");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    return error.what();
  }
  return "";
}

net::ShownCredentials showing(std::string_view token, const std::string& certificate = "") {
  net::ShownCredentials shown;
  shown.token.assign(token.begin(), token.end());
  shown.certificate_sha256 = certificate;
  return shown;
}

TEST(Clients, Parses) {
  const auto clients = parse_clients(
      "# who may come\n\n  anna token-hash=" + kHash + "\nbob\tgroup=lab limit=12  certificate=" + kHash,
      "clients.txt");
  ASSERT_EQ(clients.size(), 2u);
  EXPECT_EQ(clients[0].name, "anna");
  EXPECT_EQ(clients[0].group, kDefaultGroup);
  EXPECT_EQ(clients[0].limit, 0u);
  EXPECT_EQ(clients[0].proof, Client::Proof::token);
  EXPECT_EQ(clients[1].name, "bob");
  EXPECT_EQ(clients[1].group, "lab");
  EXPECT_EQ(clients[1].limit, 12u);
  EXPECT_EQ(clients[1].proof, Client::Proof::certificate);
  EXPECT_EQ(clients[1].digest[31], 0xaa);
  EXPECT_EQ(format_client(clients[1]), "bob group=lab limit=12 certificate=" + kHash + "\n");
  EXPECT_TRUE(parse_clients("", "clients.txt").empty());
}

TEST(Clients, MalformedLinesAreNamed) {
  const std::string good = "anna token-hash=" + kHash + "\n";
  const std::pair<std::string, std::string> cases[] = {
      {"bob", "line 2: bob has neither"},
      {"bob token-hash=12", "not 64 hexadecimal digits"},
      {"bob token-hash=" + kOther + "0", "not 64 hexadecimal digits"},
      {"bob token-hash=" + std::string(64, 'g'), "not 64 hexadecimal digits"},
      {"bob token-hash=" + kOther + " certificate=" + kOther, "given twice"},
      {"bob group=a group=b token-hash=" + kOther, "group is given twice"},
      {"bob limit=0 token-hash=" + kOther, "limit=0"},
      {"bob limit=-1 token-hash=" + kOther, "limit=-1"},
      {"bob limit=1e3 token-hash=" + kOther, "limit=1e3"},
      {"bob limit=99999999999999999999 token-hash=" + kOther, "limit="},
      {"bob group= token-hash=" + kOther, "the group \"\""},
      {"bob colour=red token-hash=" + kOther, "\"colour=red\""},
      {"b/ob token-hash=" + kOther, "the name \"b/ob\""},
      {std::string(65, 'x') + " token-hash=" + kOther, "the name"},
      {"anna token-hash=" + kOther, "a client anna already"},
      {"bob token-hash=" + kHash, "the token or certificate of anna"},
  };
  for (const auto& [line, word] : cases) {
    const std::string sentence = parse_error(good + line);
    EXPECT_NE(sentence.find("clients.txt line 2: "), std::string::npos) << line << ": " << sentence;
    EXPECT_NE(sentence.find(word), std::string::npos) << line << ": " << sentence;
  }
  EXPECT_EQ(parse_error(good + "bob certificate=" + kHash), "") << "a token's hash is no certificate's";
}

TEST(Clients, TokensAreHashed) {
  const std::string token(64, '7');
  // BLAKE2b-256 of "autoprivacy client token 1" and 64 bytes of 7, by another implementation:
  // b2sum -l 256 <(printf 'autoprivacy client token 1'; printf '\x07%.0s' {1..64})
  const auto digest = hash_token(token);
  std::string hex;
  for (const std::uint8_t byte : digest) hex += fmt::format("{:02x}", byte);
  EXPECT_EQ(hex, "04f64afde0bf21856cb8ab59632dcc68e826011f1e20ea303880045d62b0b89c");
  const std::string mixed = "Ab" + std::string(62, '0'), lower = "ab" + std::string(62, '0');
  EXPECT_EQ(hash_token(mixed), hash_token(lower));
  EXPECT_NE(hash_token(token), hash_token(lower));
  for (const std::string& bad :
       {std::string(), std::string(63, '7'), std::string(65, '7'), std::string(64, 'x')}) {
    EXPECT_THROW(hash_token(bad), Error) << bad;
  }
}

TEST(Clients, FindsByWhatIsShown) {
  const std::string token(64, '7');
  Client anna, bob;
  anna.name = "anna";
  anna.digest = hash_token(token);
  bob.name = "bob";
  bob.proof = Client::Proof::certificate;
  bob.digest.fill(0xaa);
  const std::vector<Client> clients = {anna, bob};
  const auto name = [&](const net::ShownCredentials& shown) {
    const auto found = find_client(clients, shown);
    return found ? found->name : "nobody";
  };
  EXPECT_EQ(name(showing(token)), "anna");
  EXPECT_EQ(name(showing("", kHash)), "bob");
  EXPECT_EQ(name(showing(std::string(64, '8'))), "nobody");
  EXPECT_EQ(name(showing("")), "nobody");
  EXPECT_EQ(name(showing("", kOther)), "nobody");
  EXPECT_EQ(name(showing(kHash)), "nobody") << "a certificate's digits are no token";
  std::string hash;
  for (const std::uint8_t byte : anna.digest) hash += fmt::format("{:02x}", byte);
  EXPECT_EQ(name(showing(hash)), "nobody") << "who has read the file cannot connect";
  EXPECT_EQ(name(showing("", hash)), "nobody");
}

TEST(Clients, NothingShownIsNobodyEvenForADigestOfZeros) {
  Client zero;
  zero.name = "zero";
  Client certificate = zero;
  certificate.proof = Client::Proof::certificate;
  EXPECT_FALSE(find_client({zero, certificate}, showing("")));
}

class ClientsFileTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.path() / "clients"; }
  static Client named(const std::string& name) {
    Client client;
    client.name = name;
    return client;
  }
  TemporaryDirectory directory_;
};

TEST_F(ClientsFileTest, AddingGivesATokenThatIsFoundAgain) {
  const SecretVector<char> first = add_client(file(), named("anna"));
  Client bob = named("bob");
  bob.group = "lab";
  bob.limit = 7;
  const SecretVector<char> second = add_client(file(), bob);
  ASSERT_EQ(first.size(), 64u);
  EXPECT_NE(first, second);
  struct stat info {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const Bytes bytes = read_file(file(), 1 << 20);
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_EQ(text.find(std::string(first.begin(), first.end())), std::string::npos)
      << "the file holds no token";
  const auto clients = load_clients(file());
  ASSERT_EQ(clients.size(), 2u);
  const auto found = find_client(clients, showing({second.data(), second.size()}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "bob");
  EXPECT_EQ(found->group, "lab");
  EXPECT_EQ(found->limit, 7u);
  EXPECT_THROW(add_client(file(), named("bob")), Error);
  EXPECT_THROW(add_client(file(), named("a b")), Error);
  EXPECT_THROW(add_client(file(), named("")), Error);
  EXPECT_EQ(load_clients(file()).size(), 2u);
}

TEST_F(ClientsFileTest, AddingKeepsCommentsAndLinesWithoutAnEnd) {
  std::ofstream(file()) << "# ours\nanna token-hash=" << kHash;
  ::chmod(file().c_str(), 0600);
  add_client(file(), named("bob"));
  const Bytes bytes = read_file(file(), 1 << 20);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()).rfind("# ours\nanna token-hash=" + kHash + "\nbob ", 0),
            0u);
}

TEST_F(ClientsFileTest, TwoThatAddAtTheSameTimeBothSucceed) {
  std::vector<std::thread> adding;
  for (int i = 0; i < 8; ++i) {
    adding.emplace_back([&, i] { add_client(file(), named("client" + std::to_string(i))); });
  }
  for (std::thread& thread : adding) thread.join();
  EXPECT_EQ(load_clients(file()).size(), 8u);
}

TEST_F(ClientsFileTest, WidePermissionsAreRefused) {
  add_client(file(), named("anna"));
  for (const int mode : {0640, 0604, 0620, 0666}) {
    ::chmod(file().c_str(), static_cast<mode_t>(mode));
    try {
      load_clients(file());
      ADD_FAILURE() << mode;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::security);
      EXPECT_NE(std::string(error.what()).find("chmod 600"), std::string::npos) << error.what();
    }
    EXPECT_THROW(add_client(file(), named("bob")), Error);
  }
  EXPECT_THROW(load_clients(directory_.path() / "absent"), Error);
}

TEST_F(ClientsFileTest, IsReadAgainWhenItChanges) {
  add_client(file(), named("anna"));
  ClientsFile clients(file());
  bool changed = false;
  std::string complaint;
  EXPECT_EQ(clients.now(changed, complaint)->size(), 1u);
  EXPECT_FALSE(changed);
  add_client(file(), named("bob"));
  EXPECT_EQ(clients.now(changed, complaint)->size(), 2u);
  EXPECT_TRUE(changed);
  EXPECT_EQ(complaint, "");

  changed = false;
  std::ofstream(file(), std::ios::app) << "nonsense\n";
  EXPECT_EQ(clients.now(changed, complaint)->size(), 2u) << "those known before stay";
  EXPECT_FALSE(changed);
  EXPECT_NE(complaint.find("line 3"), std::string::npos) << complaint;
  complaint.clear();
  clients.now(changed, complaint);
  EXPECT_EQ(complaint, "") << "one complaint a change";
}

}  // namespace
}  // namespace ap::app
