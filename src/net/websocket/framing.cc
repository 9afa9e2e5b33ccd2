#include "net/websocket/framing.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace ap::net {

Frame make_frame(std::size_t size) { return {std::make_unique_for_overwrite<std::uint8_t[]>(size), size}; }

Frame encode_frame(MessageType type, ByteView payload, std::uint64_t index) {
  AP_ASSERT(index < frame_count(payload.size()));
  const std::size_t begin = index * kMaxFrameBytes;
  Frame frame = make_frame(std::min(kMaxFrameBytes, kHeaderBytes + payload.size() - begin));
  std::uint8_t* out = frame.data.get();
  std::size_t from = begin - kHeaderBytes;
  std::size_t count = frame.size;
  if (index == 0) {
    ByteWriter header;
    header.u16(type);
    header.u64(payload.size());
    std::memcpy(out, header.bytes().data(), kHeaderBytes);
    out += kHeaderBytes;
    from = 0;
    count -= kHeaderBytes;
  }
  if (count > 0) std::memcpy(out, payload.data() + from, count);
  return frame;
}

Header decode_header(ByteView frame, const std::string& peer) {
  if (frame.size() < kHeaderBytes) {
    fail_peer("{} sent a frame of {} bytes where a message header of {} bytes is due", peer, frame.size(),
              kHeaderBytes);
  }
  ByteReader reader(frame.first(kHeaderBytes), "message header", ErrorCode::peer);
  Header header;
  header.type = reader.u16();
  header.payload_bytes = reader.u64();
  return header;
}

void check_frame_size(std::size_t frame_bytes, std::uint64_t remaining, const std::string& peer) {
  const std::uint64_t due = std::min<std::uint64_t>(remaining, kMaxFrameBytes);
  if (frame_bytes != due) fail_peer("{} sent a frame of {} bytes where {} are due", peer, frame_bytes, due);
}

}  // namespace ap::net
