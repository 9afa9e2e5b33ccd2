// A session as the client sees it, written down once and played again on other machines (docs/portability.md): what the
// server sent, byte by byte, and of what the client sent the hashes. The randomness of both parties follows from names
// (tests/transcripts/seeded_random.h), so a client that computes the same sends the same.
//
// The files are written by test_portable on the machine of the developer:
//   AP_RECORD=tests/portable build/release/test_portable --gtest_filter='Record.*'
// where the protocol or a format has changed on purpose. Without AP_RECORD the same tests compare the files with what
// the program does now.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/sha256.h"
#include "net/channel/recording_channel.h"

namespace ap::portable {

/// The randomness of the parties.
inline constexpr const char* kClientName = "recording, client";
inline constexpr const char* kServerName = "recording, server";

struct Call {
  net::Direction direction;  ///< of the client's
  net::MessageType type;
  std::uint64_t bytes;
  crypto::Sha256::Digest hash;
  Bytes payload;  ///< of what the client received; empty of what it sent

  friend bool operator==(const Call&, const Call&) = default;
};

struct Inference {
  std::vector<std::int32_t> input;
  std::vector<std::int64_t> result;

  friend bool operator==(const Inference&, const Inference&) = default;
};

struct Recording {
  Bytes server_package, client_package;  ///< whole files, uncompressed
  std::vector<Inference> inferences;     ///< of one session, one after another
  std::vector<Call> calls;               ///< in the order of the client's calls
};

Bytes serialise(const Recording& recording);
/// @throws Error(input) if it is none.
Recording parse_recording(ByteView bytes, const std::string& name);

/// What a recording channel kept.
std::vector<Call> calls_of(const std::vector<net::RecordedMessage>& messages);

/// tests/portable/NAME.recording; the names are those below.
std::filesystem::path recording_path(const std::string& name);
inline constexpr const char* kNames[] = {"coefficients", "slots"};

}  // namespace ap::portable
