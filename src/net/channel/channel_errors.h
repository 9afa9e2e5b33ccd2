// The sentences that channels fail with, in one place so that every transport says the same. All are
// Error(peer).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "net/channel/channel.h"

namespace ap::net {

/// What a call was doing when it failed, as the end of a sentence.
std::string while_sending(MessageType type);
std::string while_receiving(MessageType type);

/// Why a connection is over, as the beginning of a sentence.
/// `reason`: what the peer said about it, cut to what is printable; may be empty.
std::string closed_by_peer(const std::string& peer, const std::string& reason = {});
std::string closed_by_us(const std::string& peer);

[[noreturn]] void fail_receive_deadline(const std::string& peer, MessageType type,
                                        std::chrono::milliseconds wait);
[[noreturn]] void fail_send_deadline(const std::string& peer, MessageType type,
                                     std::chrono::milliseconds wait);

/// Checks what a header announces against what the caller asked for, before anything is allocated.
void check_announced(const std::string& peer, MessageType wanted, std::uint64_t min_bytes,
                     std::uint64_t max_bytes, MessageType announced, std::uint64_t announced_bytes);

}  // namespace ap::net
