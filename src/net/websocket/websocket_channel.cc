#include "net/websocket/websocket_channel.h"

#include "net/channel/channel_errors.h"
#include "net/websocket/client_handshake.h"
#include "net/websocket/reception.h"

namespace ap::net {
namespace {

std::chrono::milliseconds left(std::chrono::milliseconds wait, std::chrono::steady_clock::time_point until) {
  const auto remaining =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return std::clamp(remaining, std::chrono::milliseconds(0), wait);
}

}  // namespace

using Outcome = Connection::Outcome;
using Clock = std::chrono::steady_clock;

WebSocketChannel::WebSocketChannel(std::shared_ptr<IoThreads> io, std::shared_ptr<Connection> connection,
                                   std::shared_ptr<Reception> reception, std::string address,
                                   std::any admitted_as, std::string target)
    : io_(std::move(io)),
      connection_(std::move(connection)),
      reception_(std::move(reception)),
      address_(std::move(address)),
      admitted_as_(std::move(admitted_as)),
      target_(std::move(target)) {}

WebSocketChannel::~WebSocketChannel() {
  if (!left_) connection_->finish(connection_->goodbye(), connection_->goodbye());
}

void WebSocketChannel::leave(std::chrono::milliseconds total, std::string reason) {
  if (left_.exchange(true)) return;
  connection_->leave(total, std::move(reason));
  if (reception_) reception_->leaving(connection_, address_);
}

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
  const Clock::time_point until = Clock::now() + wait + time_on_the_slowest_line(payload.size());
  for (std::uint64_t i = 0; i < frames; ++i) {
    const Outcome outcome = connection_->push(encode_frame(type, payload, i), left(wait, until));
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
  const Clock::time_point until = Clock::now() + wait + time_on_the_slowest_line(header.payload_bytes);
  while (payload.size() < header.payload_bytes) {
    outcome = connection_->pop(frame, left(wait, until));
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
  const std::string peer = "the server at " + url;
  const auto io = std::make_shared<IoThreads>(1);
  auto connection = dial(*io, parse_server_url(url), trust, credentials, peer, bounded_wait(wait), limits);
  connection->start();
  return std::make_unique<WebSocketChannel>(io, std::move(connection));
}

}  // namespace ap::net
