// Nothing that a file says makes the terminal obey it: no control character leaves the program, on either
// stream.
#include "package/package.h"
#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

// Clear screen, set the title, and the same introducer as one character of the second kind; a forged line;
// writing from right to left; what is no UTF-8 at all.
const std::string kHostile =
    "\x1b[2J\x1b]0;x\x07\xc2\x9b"
    "31m\r\nautoprivacy: all is well\u202e\x7f";

/// Whether a terminal may see the text.
bool is_plain(const std::string& text) {
  for (const unsigned char c : text) {
    if ((c < 0x20 && c != '\n') || c == 0x7f) return false;
  }
  return text.find("\xc2\x9b") == std::string::npos && text.find("\u202e") == std::string::npos &&
         text.find("\nautoprivacy: all is well") == std::string::npos;
}

class Terminal : public CliTest {
 protected:
  static void expect_plain(const std::vector<std::string>& arguments, const std::string& what) {
    for (const bool json : {false, true}) {
      std::vector<std::string> all = arguments;
      if (json) all.push_back("--json");
      const Result result = run(all);
      const std::string which = what + " " + arguments[0] + (json ? " --json" : "");
      EXPECT_TRUE(is_plain(result.out)) << which << ": " << result.out;
      EXPECT_TRUE(is_plain(result.err)) << which << ": " << result.err;
      EXPECT_NE(result.status, 1) << which;
      if (json && !result.out.empty()) {
        EXPECT_TRUE(Json::accept(result.out)) << which << ": " << result.out;
      }
    }
  }

  static void expect_plain_package(const std::string& what,
                                   const std::function<void(package::Package&)>& change) {
    package::Package package = package::load(server_package());
    change(package);
    const package::Pair pair = package::make_packages(package);
    write_file(path("hostile-server.apm"), pair.server);
    write_file(path("hostile-client.apm"), pair.client);
    expect_plain({"audit", path("hostile-client.apm")}, what);
    expect_plain({"audit", path("hostile-server.apm")}, what);
    expect_plain({"infer", path("hostile-client.apm"), "--local", path("hostile-server.apm"), "--data",
                  data(), "--first", "1"},
                 what);
    expect_plain({"simulate", path("hostile-server.apm"), "--data", data(), "--first", "1", "--seeds", "1"},
                 what);
  }
};

TEST_F(Terminal, Packages) {
  expect_plain_package("labels", [](auto& p) { p.labels.assign(app::kSmallClasses, kHostile); });
  expect_plain_package("name", [](auto& p) { p.network.name = kHostile; });
  expect_plain_package("nodes", [](auto& p) {
    for (std::size_t i = 0; i < p.network.nodes.size(); ++i)
      p.network.nodes[i].name = kHostile + std::to_string(i);
  });
  expect_plain_package("policy", [](auto& p) { p.plan.policy = kHostile; });
  expect_plain_package("normalization", [](auto& p) { p.normalization = kHostile; });
  expect_plain_package("engine", [](auto& p) { p.plan.linears[0].failure_log2 = -1e9; });
}

TEST_F(Terminal, Labels) {
  package::Package package = package::load(server_package());
  package.labels.assign(app::kSmallClasses, kHostile);
  const package::Pair pair = package::make_packages(package);
  write_file(path("hostile-server.apm"), pair.server);
  write_file(path("hostile-client.apm"), pair.client);
  const Result result = run({"infer", path("hostile-client.apm"), "--local", path("hostile-server.apm"),
                             "--data", data(), "--first", "1"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("\\x1b[2J\\x1b]0;x\\x07\\xc2\\x9b31m\\x0d\\x0a"), std::string::npos)
      << result.out;
}

TEST_F(Terminal, OnnxNodes) {
  nn::OnnxBuilder b({1, 6, 6});
  const std::string bad = b.node("Erf\x1b[2J", {"input"});
  write_file(path("odd.onnx"), b.bytes(b.node("Flatten", {bad}, {{"axis", 1}})));
  expect_plain({"inspect", path("odd.onnx")}, "operator");
}

TEST_F(Terminal, NamesOfFilesAndArguments) {
  const std::string name = path("x\x1b[2J\xc2\x9b\r\nautoprivacy: all is well");
  for (const char* command : {"inspect", "audit"}) expect_plain({command, name}, "absent file");
  write_file(name, Bytes(100, 0x1b));
  for (const char* command : {"inspect", "audit"}) expect_plain({command, name}, "file");
  expect_plain({"\x1b[2J"}, "command");
  expect_plain({"audit", client_package(), "--\x1b[2J"}, "option");
  expect_plain({"infer", client_package(), "--server", "wss://\x1b[2J:1", "--data", data()}, "address");
}

}  // namespace
}  // namespace ap::cli
