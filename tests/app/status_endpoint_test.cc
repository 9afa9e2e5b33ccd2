#include "app/status_endpoint.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <deque>
#include <string>
#include <thread>

#include "app/listen_address.h"
#include "app/status_page.h"

namespace ap::app {
namespace {

using namespace std::chrono_literals;

FileDescriptor connect_to(const StatusEndpoint& endpoint) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(parse_listen(endpoint.address()).port);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  return socket;
}

void say(const FileDescriptor& socket, const std::string& text) {
  EXPECT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

/// All that comes until the endpoint closes the connection.
std::string answer_of(const FileDescriptor& socket) {
  std::string all;
  char block[4096];
  for (ssize_t count = 0; (count = ::recv(socket.get(), block, sizeof block, 0)) > 0;)
    all.append(block, static_cast<std::size_t>(count));
  return all;
}

std::string ask(const StatusEndpoint& endpoint, const std::string& path) {
  const FileDescriptor socket = connect_to(endpoint);
  say(socket, "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
  return answer_of(socket);
}

TEST(StatusEndpoint, SilentAndSlowOnesHoldNobodyUp) {
  std::chrono::steady_clock::time_point start;
  {
    const std::string large(4 << 20, 'x');
    StatusEndpoint endpoint("127.0.0.1:0", [&](std::string_view path) {
      return StatusPage{200, path == "/large" ? large : std::string(path) + "\n"};
    });
    std::deque<FileDescriptor> silent;
    for (int i = 0; i < 40; ++i) {
      silent.push_back(connect_to(endpoint));
      if (i % 3 == 1) say(silent.back(), "GET /he");
      if (i % 3 == 2) say(silent.back(), "GET /large HTTP/1.1\r\n\r\n");  // and does not read
    }
    start = std::chrono::steady_clock::now();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(endpoint, "/healthz").ends_with("\r\n\r\n/healthz\n"));
    EXPECT_EQ(ask(endpoint, "/large").size() > large.size(), true);
  }
  // One after the other they had two seconds each, at the end as well.
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
}

TEST(StatusEndpoint, WhoTakesTooLongIsCutOff) {
  const StatusEndpoint endpoint("127.0.0.1:0", [](std::string_view) { return StatusPage{200, "ok\n"}; });
  const FileDescriptor dripping = connect_to(endpoint);
  char byte = 0;
  const auto cut = [&] { return ::recv(dripping.get(), &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET; };
  for (int i = 0; i < 200 && !cut(); ++i) {
    ::send(dripping.get(), "G", 1, MSG_NOSIGNAL);
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_TRUE(cut());
}

TEST(StatusPage, NamesOfFilesAreTextWhateverTheirBytes) {
  ServerFigures figures;
  figures.networks.resize(1);
  figures.networks[0].name = "a\x1b[2J\"\n\xff\\b";
  const std::string text = metrics_text(figures);
  EXPECT_NE(text.find(R"(network="a\\x1b[2J\"\n\\xff\\)"), std::string::npos) << text;
}

}  // namespace
}  // namespace ap::app
