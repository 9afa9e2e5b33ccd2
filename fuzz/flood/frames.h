// What the flood sends: WebSocket frames of an honest session, and what becomes of them.
#pragma once

#include <random>
#include <vector>

#include "base/bytes.h"
#include "net/channel/channel.h"

namespace ap::fuzz {

using Random = std::mt19937_64;

struct SentMessage {
  net::MessageType type = 0;
  Bytes payload;
};

/// Header and payload, as they lie in a WebSocket message.
Bytes message_bytes(const SentMessage& message);

/// One WebSocket frame of a client, masked with zeros: final and binary unless `opcode` says otherwise.
Bytes websocket_frame(ByteView content, std::uint8_t opcode = 0x82);

/// The upgrade request of a client.
Bytes upgrade_request();

/// A WebSocket frame that holds message `index` of the session, changed: bits, length, type, length field,
/// content of another message, or the WebSocket header itself.
Bytes mutated_frame(const std::vector<SentMessage>& session, std::size_t index, Random& random);

}  // namespace ap::fuzz
