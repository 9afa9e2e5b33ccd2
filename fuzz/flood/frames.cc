#include "flood/frames.h"

#include <algorithm>
#include <string_view>

#include "net/websocket/framing.h"

namespace ap::fuzz {

Bytes message_bytes(const SentMessage& message) {
  ByteWriter out;
  out.u16(message.type);
  out.u64(message.payload.size());
  out.raw(message.payload);
  return out.take();
}

Bytes websocket_frame(ByteView content, std::uint8_t opcode) {
  Bytes out = {opcode};
  if (content.size() < 126) {
    out.push_back(static_cast<std::uint8_t>(0x80 | content.size()));
  } else {
    const int bytes = content.size() < 65536 ? 2 : 8;
    out.push_back(bytes == 2 ? 0xfe : 0xff);
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(content.size() >> (8 * i)));
  }
  out.resize(out.size() + 4);  // the mask
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Bytes upgrade_request() {
  constexpr std::string_view text =
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  return {text.begin(), text.end()};
}

Bytes mutated_frame(const std::vector<SentMessage>& session, std::size_t index, Random& random) {
  Bytes bytes = message_bytes(session[index]);
  const auto any_byte = [&] { return static_cast<std::uint8_t>(random()); };
  switch (random() % 8) {
    case 0:
    case 1:  // bits, often of the header
      for (std::size_t i = 0; i <= random() % 4; ++i) {
        const std::size_t reach = random() % 2 == 0 ? std::min<std::size_t>(bytes.size(), 24) : bytes.size();
        bytes[random() % reach] ^= static_cast<std::uint8_t>(1U << random() % 8);
      }
      break;
    case 2:  // cut short
      bytes.resize(random() % bytes.size());
      break;
    case 3: {  // the tail of another message
      const Bytes other = message_bytes(session[random() % session.size()]);
      bytes.resize(random() % (bytes.size() + 1));
      bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(random() % other.size()),
                   other.end());
      break;
    }
    case 4:  // another type
      bytes[0] = any_byte();
      bytes[1] = static_cast<std::uint8_t>(random() % 5);
      break;
    case 5:  // a false length
      for (std::size_t i = 2; i < 2 + random() % 9; ++i) bytes[i] = any_byte();
      break;
    case 6:  // another message in its place
      bytes = message_bytes(session[random() % session.size()]);
      break;
    default: {  // a WebSocket frame that is wrong by itself
      Bytes frame = websocket_frame(bytes, any_byte());
      if (random() % 2 == 0) frame[1] = any_byte();
      if (random() % 4 == 0) frame.resize(random() % frame.size());
      return frame;
    }
  }
  bytes.resize(std::min(bytes.size(), net::kMaxFrameBytes + 1));
  return websocket_frame(bytes);
}

}  // namespace ap::fuzz
