// The network and the other party fail: the right exit status and one sentence within the deadline, no
// process left behind, and a server that goes on serving others.
#include <signal.h>
#include <sys/wait.h>

#include <random>

#include "app/local_server.h"
#include "net/websocket/websocket.h"
#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

using namespace std::chrono_literals;

class FailureTest : public CliTest {
 protected:
  static std::vector<std::string> infer(const ServeProcess& server, const std::string& count) {
    return {"infer",    client_package(), "--server", server.url, "--trust",
            server.pin, "--data",         data(),     "--first",  count};
  }
};

TEST_F(FailureTest, NoServer) {
  const Result result = run({"infer", client_package(), "--server", "wss://127.0.0.1:1", "--data", data()});
  expect_failure(result, 3, "127.0.0.1");
  expect_failure(run({"infer", client_package(), "--server", "http://127.0.0.1:1", "--data", data()}), 2,
                 "wss://");
}

TEST_F(FailureTest, PortInUse) {
  ServeProcess first(server_package());
  ASSERT_NE(first.url, "");
  const std::string address = first.url.substr(6);
  expect_failure(run({"serve", server_package(), "--listen", address}), 2,
                 address.substr(address.find(':') + 1));
}

TEST_F(FailureTest, SilentServer) {
  const net::TlsIdentity identity = net::make_self_signed("127.0.0.1");
  net::Listener listener("127.0.0.1", 0, identity);
  std::unique_ptr<net::Channel> accepted;
  std::thread accepting([&] { accepted = listener.accept(20s); });
  const Result result = run({"infer", client_package(), "--server", listener.url(), "--trust",
                             net::certificate_fingerprint(identity), "--data", data(), "--deadline", "0.5"});
  accepting.join();
  expect_failure(result, 3, "0.5 s");
}

TEST_F(FailureTest, ServerKilledAtSomeMoment) {
  std::mt19937 random(11);
  for (int round = 0; round < 6; ++round) {
    ServeProcess server(server_package());
    ASSERT_NE(server.url, "");
    Process client(infer(server, "24"));
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 200));
    server->kill(SIGKILL);
    const Result result{client.wait(30s), client.out, client.err};
    if (result.status == 0) continue;  // the client was faster
    expect_failure(result, 3, "server");
  }
}

TEST_F(FailureTest, ClientKilledAtSomeMomentAndTheServerGoesOn) {
  ServeProcess server(server_package());
  ASSERT_NE(server.url, "");
  std::mt19937 random(12);
  for (int round = 0; round < 6; ++round) {
    Process client(infer(server, "24"));
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 200));
    client.kill(SIGKILL);
    client.wait(30s);
  }
  const Result after = run(infer(server, "1"));
  EXPECT_EQ(after.status, 0) << after.err;
  server->kill(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
  for (std::size_t at = 0; at < server->err.size();) {
    const std::size_t end = server->err.find('\n', at);
    EXPECT_EQ(server->err.compare(at, 13, "autoprivacy: "), 0)
        << "every log line has the prefix: " << server->err;
    if (end == std::string::npos) break;
    at = end + 1;
  }
}

TEST_F(FailureTest, LocalServerDiesWithItsClient) {
  Process client({"infer", client_package(), "--local", server_package(), "--data", data(), "--json"});
  const std::string serving = std::string("serve\0", 6) + server_package();
  for (int i = 0; i < 2000 && processes_with(serving) == 0; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(processes_with(serving), 1);
  client.kill(SIGKILL);
  client.wait(30s);
  expect_no_processes_with(path("out"));
}

TEST_F(FailureTest, LocalServerIsReaped) {
  pid_t pid = 0;
  {
    const app::LocalServer server(program(), server_package());
    pid = server.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
    EXPECT_EQ(server.url().rfind("wss://127.0.0.1:", 0), 0u);
    EXPECT_EQ(server.ready().fingerprint.size(), 64u);
  }
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1) << "no zombie is left";
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(FailureTest, LocalServerThatCannotStart) {
  const auto refused = [&](const std::filesystem::path& by, const std::string& package, ErrorCode code) {
    try {
      const app::LocalServer server(by, package);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
  };
  refused(program(), path("absent.apm"), ErrorCode::input);
  refused(path("absent-program"), server_package(), ErrorCode::peer);
  refused("/bin/true", server_package(), ErrorCode::peer);
}

TEST_F(FailureTest, LocalServersLeaveNoDescriptors) {
  const auto count = [] {
    const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(entries), end(entries));
  };
  const auto before = count();
  for (int i = 0; i < 3; ++i) {
    const app::LocalServer server(program(), server_package());
    EXPECT_THROW(app::LocalServer(program(), path("absent.apm")), Error);
  }
  EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace ap::cli
