#include "net/websocket/framing.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "tests/net/websocket/test_support.h"
#include "tests/support/paths.h"

namespace ap::net {
namespace {

std::string hex(ByteView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", byte);
  return text;
}

// The example of docs/wire-format.md. If this test fails, the wire format has changed: old and new programs
// no longer understand each other.
constexpr MessageType kType = 0x0102;
const Bytes kPayload{0xde, 0xad, 0xbe, 0xef};
constexpr const char* kFrame = "02 01 04 00 00 00 00 00 00 00 de ad be ef";
constexpr const char* kFromServer = "82 0e 02 01 04 00 00 00 00 00 00 00 de ad be ef";
constexpr const char* kFromClient = "82 8e 37 fa 21 3d 35 fb 25 3d 37 fa 21 3d 37 fa ff 90 89 15";

TEST(Framing, ExampleOfTheSpecification) {
  EXPECT_EQ(hex(encode_frame(kType, kPayload, 0).view()), kFrame);

  Listener listener("127.0.0.1", 0, test_identity());
  std::unique_ptr<Channel> server;
  std::thread acceptor([&] { server = listener.accept(std::chrono::seconds(30)); });
  RawTlsClient client(listener.port());
  client.upgrade();
  acceptor.join();
  server->send(kType, kPayload);
  EXPECT_EQ(hex(client.read(16)), kFromServer);
  Bytes masked;
  std::istringstream digits(kFromClient);
  for (unsigned byte = 0; digits >> std::hex >> byte;) masked.push_back(static_cast<std::uint8_t>(byte));
  client.write(masked);
  EXPECT_EQ(server->receive_exactly(kType, 4), kPayload);

  std::ifstream file(tests::source_dir() / "docs/wire-format.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const char* line : {kFrame, kFromServer, kFromClient}) {
    EXPECT_NE(text.find(line), std::string::npos) << "docs/wire-format.md does not show " << line;
  }
}

TEST(Framing, FramesJoinToHeaderAndPayload) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kMaxFrameBytes - 11, kMaxFrameBytes - 10,
                                 kMaxFrameBytes - 9, 2 * kMaxFrameBytes - 10, 3 * kMaxFrameBytes}) {
    const Bytes payload = pattern(size, 1);
    Bytes joined;
    for (std::uint64_t i = 0; i < frame_count(size); ++i) {
      const Frame frame = encode_frame(9, payload, i);
      ASSERT_LE(frame.size, kMaxFrameBytes);
      ASSERT_GT(frame.size, 0u);
      check_frame_size(frame.size, kHeaderBytes + size - joined.size(), "the peer");
      joined.insert(joined.end(), frame.data.get(), frame.data.get() + frame.size);
    }
    const Header header = decode_header(joined, "the peer");
    EXPECT_EQ(header.type, 9);
    EXPECT_EQ(header.payload_bytes, size);
    EXPECT_EQ(Bytes(joined.begin() + kHeaderBytes, joined.end()), payload);
  }
}

TEST(Framing, RefusesShortHeadersAndOtherFrameSizes) {
  expect_error([] { decode_header(Bytes(9), "the peer"); }, ErrorCode::peer,
               "the peer sent a frame of 9 bytes");
  expect_error([] { check_frame_size(5, 6, "the peer"); }, ErrorCode::peer, "5 bytes where 6 are due");
  expect_error([] { check_frame_size(5, std::uint64_t{1} << 62, "the peer"); }, ErrorCode::peer,
               "where 1048576");
}

}  // namespace
}  // namespace ap::net
