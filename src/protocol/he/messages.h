// Types of the messages of a session by homomorphic encryption alone, after the greetings and nonces that all sessions begin
// with (protocol/hybrid/messages.h); the order in which they may appear is in docs/wire-format.md.
#pragma once

#include <cstdint>

#include "net/channel/channel.h"

namespace ap::protocol::he {

enum Message : net::MessageType {
  kCommand = 0x0300,  ///< client: Command, one byte
  kKeyPiece =
      0x0301,  ///< client: the next bytes of a part of its keys, kPieceBytes or what is left of the part
  kKeyDigest =
      0x0302,         ///< server: SHA-256 of the SHA-256 of every part, by which the session names these keys
  kRequest = 0x0303,  ///< client: that digest, then the ciphertexts of an image
  kAdmission = 0x0304,  ///< server: protocol::PrepareAnswer, and the limit that it speaks of
  kProgress = 0x0305,   ///< server: u32 steps done of the u32 that there are, after every step
  kAnswer = 0x0306,     ///< server: the ciphertexts of the scores
};

enum class Command : std::uint8_t { goodbye = 0, keys = 1, infer = 2 };

/// A message of keys has so many bytes at most: what a server takes before it has looked at the first residue.
inline constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

}  // namespace ap::protocol::he
