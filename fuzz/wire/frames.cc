// Frames as they come from the network, joined to messages as a channel does it.
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "net/channel/channel_errors.h"
#include "net/websocket/framing.h"

namespace ap::fuzz {
namespace {

/// Each frame: its length in two bytes, then its bytes. Messages of any type up to 64 bytes are due.
void run(ByteView input) {
  Choices choices(input);
  const auto next = [&] {
    const std::size_t size = std::min<std::size_t>(choices.number(2), input.size());
    const ByteView frame = input.first(size);
    input = input.subspan(size);
    return frame;
  };
  constexpr std::uint64_t kMost = std::uint64_t{3} << 20;
  while (!input.empty()) {
    ByteView frame = next();
    const net::Header header = net::decode_header(frame, "the peer");
    net::check_announced("the peer", header.type, 0, kMost, header.type, header.payload_bytes);
    Bytes message;
    for (std::uint64_t remaining = net::kHeaderBytes + header.payload_bytes; remaining > 0; frame = next()) {
      net::check_frame_size(frame.size(), remaining, "the peer");
      message.insert(message.end(), frame.begin(), frame.end());
      remaining -= frame.size();
      if (remaining == 0) break;
    }
    // What was put together falls apart into the same frame.
    const net::Frame first = net::encode_frame(header.type, ByteView(message).subspan(net::kHeaderBytes), 0);
    require(std::ranges::equal(first.view(), ByteView(message).first(first.size)),
            "frames of a message are unique");
  }
}

Bytes framed(net::MessageType type, const Bytes& payload) {
  const net::Frame frame = net::encode_frame(type, payload, 0);
  Bytes out = {static_cast<std::uint8_t>(frame.size >> 8), static_cast<std::uint8_t>(frame.size)};
  out.insert(out.end(), frame.view().begin(), frame.view().end());
  return out;
}

std::vector<Bytes> seeds() {
  Bytes two = framed(0x0100, Bytes(34, 1));
  const Bytes second = framed(0x0102, {1});
  two.insert(two.end(), second.begin(), second.end());
  return {framed(0x0102, {}), two};
}

const Register known(
    {.name = "frames", .run = run, .seeds = seeds, .mistakes = Mistakes::of_a_peer, .max_bytes = 1024});

}  // namespace
}  // namespace ap::fuzz
