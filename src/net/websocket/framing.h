// How a message becomes WebSocket messages ("frames" here): docs/wire-format.md, part "Framing". Pure
// functions.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "net/channel/channel.h"

namespace ap::net {

/// The most bytes in one frame, the header included.
inline constexpr std::size_t kMaxFrameBytes = std::size_t{1} << 20;

/// A byte string that is not cleared before it is filled.
struct Frame {
  std::unique_ptr<std::uint8_t[]> data;
  std::size_t size = 0;
  ByteView view() const { return {data.get(), size}; }
};
Frame make_frame(std::size_t size);

/// Frames that a message with this payload takes.
constexpr std::uint64_t frame_count(std::uint64_t payload_bytes) {
  return (kHeaderBytes + payload_bytes + kMaxFrameBytes - 1) / kMaxFrameBytes;
}

/// Frame `index` of a message; every frame but the last has kMaxFrameBytes bytes.
Frame encode_frame(MessageType type, ByteView payload, std::uint64_t index);

struct Header {
  MessageType type = 0;
  std::uint64_t payload_bytes = 0;
};

/// The header in a message's first frame. @throws Error(peer) if the frame is shorter than a header.
Header decode_header(ByteView frame, const std::string& peer);

/// Checks that a frame has the one size it may have, when `remaining` bytes of its message (the header
/// included, if it is the first) are still due. @throws Error(peer)
void check_frame_size(std::size_t frame_bytes, std::uint64_t remaining, const std::string& peer);

}  // namespace ap::net
