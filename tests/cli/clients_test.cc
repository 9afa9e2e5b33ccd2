// Who may connect and how often, by the program: adding clients, their tokens, the end of a budget, and the
// ledger.
#include <sys/stat.h>

#include <cstdlib>

#include "net/websocket/tls.h"
#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

class ClientsTest : public CliTest {
 protected:
  static std::vector<std::string> infer(const ServeProcess& server, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"infer",    client_package(), "--server", server.url, "--trust",
                                          server.pin, "--data",         data(),     "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static void write_secret(const std::string& name, const std::string& text, mode_t mode = 0600) {
    write_file(name, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    ::chmod(name.c_str(), mode);
  }
  /// Adds a client and leaves its token in a file of that name.
  static void add(const std::string& file, const std::string& name, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"clients", file, "--add", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result added = run(arguments);
    ASSERT_EQ(added.status, 0) << added.err;
    ASSERT_EQ(added.out.size(), 65u) << added.out;
    EXPECT_EQ(added.err.find(added.out.substr(0, 64)), std::string::npos);
    write_secret(path(name), added.out);
  }
};

TEST_F(ClientsTest, FromAddingClientsToTheEndOfTheBudget) {
  const std::string file = path("clients"), ledger = path("count");
  add(file, "anna", {"--group", "a"});
  add(file, "bob", {"--group", "b", "--limit", "1"});
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const Result listed = run({"clients", file, "--json"});
  ASSERT_EQ(listed.status, 0) << listed.err;
  const Json clients = Json::parse(listed.out)["clients"];
  ASSERT_EQ(clients.size(), 2u);
  EXPECT_EQ(clients[1]["name"], "bob");
  EXPECT_EQ(clients[1]["limit"], 1);
  expect_failure(run({"clients", file, "--add", "bob"}), 2, "bob");

  ServeProcess server(server_package(), {"--clients", file, "--ledger", ledger, "--max-inferences", "3"});
  ASSERT_NE(server.url, "");
  const Result first = run(infer(server, {"--token-file", path("anna"), "--first", "2"}));
  EXPECT_EQ(first.status, 0) << first.err;
  expect_failure(run(infer(server, {"--token-file", path("anna"), "--first", "2"})), 3, "all 3 inferences");
  EXPECT_EQ(run(infer(server, {"--token-file", path("bob"), "--first", "1"})).status, 0);
  expect_failure(run(infer(server, {"--token-file", path("bob"), "--first", "1"})), 3, "all 1 inferences");
  expect_failure(run(infer(server, {"--first", "1"})), 3, "only clients that it knows");
  write_secret(path("wrong"), std::string(64, '0'));
  expect_failure(run(infer(server, {"--token-file", path("wrong"), "--first", "1"})), 3,
                 "does not know the token");

  server->kill(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
  EXPECT_NE(server->err.find("may connect, 2 now"), std::string::npos) << server->err;
  EXPECT_NE(server->err.find("is new, so counting begins at 0"), std::string::npos) << server->err;
  EXPECT_EQ(server->err.find(Json::parse(listed.out).dump()), std::string::npos);

  const Result status = run({"ledger", ledger, "--json"});
  ASSERT_EQ(status.status, 0) << status.err;
  const Json counts = Json::parse(status.out)["clients"];
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts[0]["client"], "anna");
  EXPECT_EQ(counts[0]["prepared"], 3);
  EXPECT_EQ(counts[0]["groups"], Json{"a"});
  EXPECT_EQ(counts[1]["prepared"], 1);
  const Result table = run({"ledger", ledger});
  EXPECT_EQ(table.status, 0);
  EXPECT_NE(table.out.find("anna"), std::string::npos) << table.out;
}

TEST_F(ClientsTest, TheTokenMayStandInTheEnvironment) {
  const std::string file = path("clients-env");
  add(file, "eve");
  ServeProcess server(server_package(), {"--clients", file});
  ASSERT_NE(server.url, "");
  std::ifstream in(path("eve"));
  std::string token;
  in >> token;
  ::setenv("AUTOPRIVACY_TOKEN", token.c_str(), 1);
  const Result good = run(infer(server, {"--first", "1"}));
  ::setenv("AUTOPRIVACY_TOKEN", "nonsense", 1);
  const Result bad = run(infer(server, {"--first", "1"}));
  ::unsetenv("AUTOPRIVACY_TOKEN");
  EXPECT_EQ(good.status, 0) << good.err;
  expect_failure(bad, 2, "64 hexadecimal digits");
}

TEST_F(ClientsTest, CertificatesAdmitAsWell) {
  const net::TlsIdentity identity = net::make_self_signed("client"), other = net::make_self_signed("client");
  write_secret(path("client.pem"), identity.certificate_pem);
  write_secret(path("client.key"), {identity.key_pem.begin(), identity.key_pem.end()});
  write_secret(path("other.pem"), other.certificate_pem);
  write_secret(path("other.key"), {other.key_pem.begin(), other.key_pem.end()});
  const std::string file = path("clients-tls");
  const Result added = run({"clients", file, "--add", "dora", "--certificate", path("client.pem")});
  ASSERT_EQ(added.status, 0) << added.err;
  EXPECT_NE(added.out.find("known by its certificate"), std::string::npos) << added.out;
  ServeProcess server(server_package(), {"--clients", file});
  ASSERT_NE(server.url, "");
  const Result good =
      run(infer(server, {"--cert", path("client.pem"), "--key", path("client.key"), "--first", "1"}));
  EXPECT_EQ(good.status, 0) << good.err;
  expect_failure(
      run(infer(server, {"--cert", path("other.pem"), "--key", path("other.key"), "--first", "1"})), 3,
      "does not know");
  expect_failure(
      run(infer(server, {"--cert", path("client.pem"), "--key", path("other.key"), "--first", "1"})), 2,
      "key");
  expect_failure(run(infer(server, {"--cert", path("client.pem"), "--first", "1"})), 2, "--key");
}

TEST_F(ClientsTest, AnybodyIsServedWithoutAFileAndTheServerSaysSo) {
  ServeProcess server(server_package(), {"--ledger", path("count-any"), "--max-inferences", "1"});
  ASSERT_NE(server.url, "");
  EXPECT_EQ(run(infer(server, {"--first", "1"})).status, 0);
  expect_failure(run(infer(server, {"--first", "1"})), 3, "all 1 inferences");
  server->kill(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
  EXPECT_NE(server->err.find("anybody may connect, and all count as one client"), std::string::npos)
      << server->err;
  EXPECT_NE(server->err.find("0 of 1 inferences are prepared"), std::string::npos) << server->err;
}

TEST_F(ClientsTest, TheLedgerLiesBesideThePackage) {
  std::filesystem::create_directories(path("beside"));
  std::filesystem::copy_file(server_package(), path("beside/server.apm"));
  std::filesystem::create_symlink(path("beside/server.apm"), path("link.apm"));
  for (const char* name : {"beside/server.apm", "link.apm"}) {
    ServeProcess server(path(name), {"--max-inferences", "1"});
    ASSERT_NE(server.url, "");
    EXPECT_TRUE(std::filesystem::exists(path("beside/server.apm.ledger")));
    EXPECT_EQ(run(infer(server, {"--first", "1"})).status, name == std::string("link.apm") ? 3 : 0);
    server->kill(SIGTERM);
    EXPECT_EQ(server->wait(), 0);
  }
  EXPECT_FALSE(std::filesystem::exists(path("link.apm.ledger")));
}

TEST_F(ClientsTest, FilesOfOthersAreRefused) {
  const std::string file = path("clients-open");
  add(file, "ina");
  ::chmod(file.c_str(), 0644);
  expect_failure(run({"serve", server_package(), "--clients", file}), 4, "chmod 600");
  expect_failure(run({"clients", file}), 4, "chmod 600");
  write_secret(path("open-token"), std::string(64, '0'), 0644);
  expect_failure(run({"infer", client_package(), "--server", "wss://127.0.0.1:1", "--trust",
                      std::string(64, '0'), "--data", data(), "--token-file", path("open-token")}),
                 4, "chmod 600");
  write_secret(path("no-ledger"), "this is no database, only some text in a file of its own");
  expect_failure(run({"serve", server_package(), "--ledger", path("no-ledger"), "--max-inferences", "5"}), 2,
                 "no-ledger");
  expect_failure(run({"ledger", path("absent")}), 2, "absent");
  expect_failure(run({"serve", server_package(), "--clients", path("absent")}), 2, "absent");
}

}  // namespace
}  // namespace ap::cli
