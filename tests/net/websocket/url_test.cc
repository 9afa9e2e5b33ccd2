#include "net/websocket/url.h"

#include <gtest/gtest.h>

#include "tests/net/websocket/test_support.h"

namespace ap::net {
namespace {

TEST(ServerUrl, TakesHostPortAndPath) {
  const ServerUrl plain = parse_server_url("wss://example.org");
  EXPECT_EQ(plain.host, "example.org");
  EXPECT_EQ(plain.port, 443);
  EXPECT_EQ(plain.path, "/");
  const ServerUrl full = parse_server_url("wss://127.0.0.1:9000/session/7?x=1");
  EXPECT_EQ(full.authority(), "127.0.0.1:9000");
  EXPECT_EQ(full.path, "/session/7?x=1");
  const ServerUrl six = parse_server_url("wss://[::1]:65535");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 65535);
  EXPECT_EQ(six.authority(), "[::1]:65535");
}

TEST(ServerUrl, NamesWhatIsWrong) {
  for (const char* url : {"", "127.0.0.1:9000", "ws://host:1", "https://host", "wss://", "wss://:1",
                          "wss://a b", "wss://host\r\nX: y:1", "wss://host/\r\n", "wss://user@host"}) {
    expect_error([&] { parse_server_url(url); }, ErrorCode::input, "must look like wss://host:port");
  }
  for (const char* url : {"wss://h:", "wss://h:0", "wss://h:65536", "wss://h:1x", "wss://h:-1",
                          "wss://[::1]9", "wss://h:1:2"}) {
    expect_error([&] { parse_server_url(url); }, ErrorCode::input, "no usable port");
  }
  expect_error([] { parse_server_url("wss://[::1"); }, ErrorCode::input, "closing bracket");
}

}  // namespace
}  // namespace ap::net
