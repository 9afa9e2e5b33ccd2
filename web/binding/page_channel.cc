#include "page_channel.h"

#include <algorithm>

#include "base/error.h"
#include "net/channel/channel_errors.h"
#include "net/websocket/websocket.h"  // time_on_the_slowest_line

// What the worker offers (web/binding/channel_library.js). Names begin as those of the exports do.
extern "C" {
/// Hands a copy of a frame to the connection. 0, or kEnded.
int ap_channel_send(const std::uint8_t* frame, std::size_t bytes);
/// Waits for the next frame and copies it to `area`, which has room for kMaxFrameBytes. Its bytes, or one of those below.
int ap_channel_receive(std::uint8_t* area, double wait_ms);
/// Why the connection has ended, as the peer or the browser says; cut to `room` bytes. How many bytes it has.
int ap_channel_reason(char* text, std::size_t room);
void ap_channel_close();
}

namespace ap::web {
namespace {

constexpr int kEnded = -1, kDeadline = -2;
constexpr std::size_t kMaxReason = 512;

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

[[noreturn]] void fail_ended(const std::string& peer, const std::string& doing) {
  std::string reason(kMaxReason, '\0');
  reason.resize(static_cast<std::size_t>(std::max(0, ap_channel_reason(reason.data(), reason.size()))));
  fail_peer("{} {}", net::closed_by_peer(peer, reason), doing);
}

}  // namespace

template <typename Check>
auto PageChannel::or_close(Check check) {
  try {
    return check();
  } catch (...) {
    close();
    throw;
  }
}

void PageChannel::close() {
  if (!closed_) ap_channel_close();
  closed_ = true;
}

void PageChannel::send(net::MessageType type, ByteView payload) {
  if (closed_) fail_peer("{} {}", net::closed_by_us(peer()), net::while_sending(type));
  const std::uint64_t frames = net::frame_count(payload.size());
  for (std::uint64_t i = 0; i < frames; ++i) {
    const net::Frame frame = net::encode_frame(type, payload, i);
    if (ap_channel_send(frame.data.get(), frame.size) == kEnded) fail_ended(peer(), net::while_sending(type));
  }
  traffic_.bytes_sent += net::kHeaderBytes + payload.size();
  ++traffic_.messages_sent;
}

std::size_t PageChannel::next_frame(net::MessageType type, milliseconds wait, bool inside) {
  const int got = ap_channel_receive(read_area_.data.get(), static_cast<double>(wait.count()));
  if (got == kEnded) fail_ended(peer(), net::while_receiving(type));
  if (got == kDeadline) {
    if (inside) close();
    net::fail_receive_deadline(peer(), type, deadline_);
  }
  AP_ASSERT(got > 0 && static_cast<std::size_t>(got) <= net::kMaxFrameBytes);
  return static_cast<std::size_t>(got);
}

Bytes PageChannel::receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) {
  if (closed_) fail_peer("{} {}", net::closed_by_us(peer()), net::while_receiving(type));
  const std::uint8_t* const data = read_area_.data.get();
  std::size_t frame = next_frame(type, deadline_, false);
  const net::Header header = or_close([&] {
    const net::Header announced = net::decode_header({data, frame}, peer());
    net::check_announced(peer(), type, min_bytes, max_bytes, announced.type, announced.payload_bytes);
    net::check_frame_size(frame, net::kHeaderBytes + announced.payload_bytes, peer());
    return announced;
  });
  Bytes payload;
  payload.reserve(header.payload_bytes);
  payload.insert(payload.end(), data + net::kHeaderBytes, data + frame);
  const auto until = Clock::now() + deadline_ + net::time_on_the_slowest_line(header.payload_bytes);
  while (payload.size() < header.payload_bytes) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    frame = next_frame(type, std::clamp(left, milliseconds(0), deadline_), true);
    or_close([&] { net::check_frame_size(frame, header.payload_bytes - payload.size(), peer()); });
    payload.insert(payload.end(), data, data + frame);
  }
  traffic_.bytes_received += net::kHeaderBytes + payload.size();
  ++traffic_.messages_received;
  return payload;
}

}  // namespace ap::web
