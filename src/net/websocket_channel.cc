#include "net/websocket_channel.h"

#include "net/channel_errors.h"

namespace ap::net {

using Outcome = FrameConnection::Outcome;

void WebSocketChannel::fail_ended(const std::string& doing) const {
  const ConnectionEnd end = connection_->end();
  throw Error(end.code, end.what + " " + doing);
}

template <typename Check>
auto WebSocketChannel::or_abort(Check check) {
  try {
    return check();
  } catch (...) {
    connection_->abort();
    throw;
  }
}

void WebSocketChannel::send(MessageType type, ByteView payload) {
  const std::chrono::milliseconds wait = deadline_;
  const std::uint64_t frames = frame_count(payload.size());
  for (std::uint64_t i = 0; i < frames; ++i) {
    const Outcome outcome = connection_->push(encode_frame(type, payload, i), wait);
    if (outcome == Outcome::ended) fail_ended(while_sending(type));
    if (outcome == Outcome::deadline) {
      if (i == 0) fail_send_deadline(peer(), type, wait);
      or_abort([&] { fail_send_deadline(peer(), type, wait); });
    }
  }
  bytes_sent_ += kHeaderBytes + payload.size();
  ++messages_sent_;
}

Bytes WebSocketChannel::receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) {
  const std::chrono::milliseconds wait = deadline_;
  Frame frame;
  Outcome outcome = connection_->pop(frame, wait);
  if (outcome == Outcome::ended) fail_ended(while_receiving(type));
  if (outcome == Outcome::deadline) fail_receive_deadline(peer(), type, wait);
  const Header header = or_abort([&] {
    const Header announced = decode_header(frame.view(), peer());
    check_announced(peer(), type, min_bytes, max_bytes, announced.type, announced.payload_bytes);
    check_frame_size(frame.size, kHeaderBytes + announced.payload_bytes, peer());
    return announced;
  });
  Bytes payload;
  payload.reserve(header.payload_bytes);
  payload.insert(payload.end(), frame.data.get() + kHeaderBytes, frame.data.get() + frame.size);
  while (payload.size() < header.payload_bytes) {
    outcome = connection_->pop(frame, wait);
    if (outcome == Outcome::ended) fail_ended(while_receiving(type));
    or_abort([&] {
      if (outcome == Outcome::deadline) fail_receive_deadline(peer(), type, wait);
      check_frame_size(frame.size, header.payload_bytes - payload.size(), peer());
    });
    payload.insert(payload.end(), frame.data.get(), frame.data.get() + frame.size);
  }
  bytes_received_ += kHeaderBytes + payload.size();
  ++messages_received_;
  return payload;
}

Traffic WebSocketChannel::traffic() const {
  return {bytes_sent_, bytes_received_, messages_sent_, messages_received_};
}

std::unique_ptr<Channel> connect(const std::string& url, const TlsTrust& trust,
                                 std::chrono::milliseconds wait, const ChannelLimits& limits,
                                 const Credentials& credentials) {
  ChannelLimits own_limits = limits;
  own_limits.handshake = bounded_wait(wait);
  auto connection =
      FrameConnection::dial(parse_server_url(url), trust, credentials, "the server at " + url, own_limits);
  if (connection->wait_open() == Outcome::ended) {
    const ConnectionEnd end = connection->end();
    throw Error(end.code, end.what);
  }
  return std::make_unique<WebSocketChannel>(std::move(connection));
}

}  // namespace ap::net
