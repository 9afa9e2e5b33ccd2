// Types of the messages of a session; the order in which they may appear is in docs/wire-format.md.
#pragma once

#include "net/channel/channel.h"

namespace ap::protocol {

enum Message : net::MessageType {
  kHello = 0x0100,      ///< client: protocol version, package id
  kWelcome = 0x0101,    ///< server: status, protocol version, package id; if ready, whether it tells its cost
  kCommand = 0x0102,    ///< client: prepare, infer, probe, store, use or goodbye
  kProbe = 0x0103,      ///< both: bytes to be echoed
  kProtocols = 0x0104,  ///< client: one byte an activation, layers/activation/protocol.h
  kPreprocessingId = 0x0105,      ///< client: which inference to store or use
  kPreprocessingAnswer = 0x0106,  ///< server: one byte, StoreAnswer
  kNonce = 0x0107,                ///< both: 32 random bytes, after the greetings (random/session_key.h)
  kPrepareAnswer = 0x0108,        ///< server: PrepareAnswer, and the limit that it speaks of
  kPublicKeys = 0x0200,           ///< client: one key for each group of parameters
  kUpload = 0x0201,               ///< client: encryptions of one layer's mask
  kReply = 0x0202,                ///< server: re-shared results of one layer
  kSlotKeys = 0x0203,             ///< client: rotation keys of one group that packs for SIMD
  kMaskedInput = 0x0210,          ///< client: the image minus its mask
  kResult = 0x0211,               ///< server: its share of the logits, or of the label
  kStatistics = 0x0212,  ///< server: its own cost, if its greeting said so; nothing that depends on values
};

enum class Command : std::uint8_t { goodbye = 0, prepare = 1, infer = 2, probe = 3, store = 4, use = 5 };
/// To `use`: done or refused, it has none of this id, whatever the reason. To `store` any.
enum class StoreAnswer : std::uint8_t {
  done = 0,
  refused = 1,      ///< it keeps none at all
  client_full = 2,  ///< it keeps as many as one client may have there
  full = 3,         ///< it keeps as many as it may
  failed = 4,       ///< it cannot write them now
};
/// To `prepare`, ahead of the first reply. Whatever it is, the client has sent all its keys and uploads.
enum class PrepareAnswer : std::uint8_t {
  granted = 0,
  used_up = 1,       ///< all inferences are prepared that the weights may be asked for
  client_limit = 2,  ///< all that this client may have
  not_counted = 3    ///< the server cannot count them now
};
enum class Welcome : std::uint8_t {
  ready = 0,
  other_package = 1,
  other_version = 2,
  busy = 3,
  waiting =
      4  ///< all places are taken, and another greeting follows; only to clients that have said they wait
};

/// The version of the meaning and order of all messages but these two greetings, which every version must
/// understand.
inline constexpr std::uint16_t kProtocolVersion = 4;

}  // namespace ap::protocol
