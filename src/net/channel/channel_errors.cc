#include "net/channel/channel_errors.h"

#include "base/error.h"

namespace ap::net {
namespace {

double seconds(std::chrono::milliseconds wait) { return std::chrono::duration<double>(wait).count(); }

}  // namespace

std::string while_sending(MessageType type) { return fmt::format("while we sent message type {}", type); }

std::string while_receiving(MessageType type) {
  return fmt::format("while we waited for message type {}", type);
}

std::string closed_by_peer(const std::string& peer, const std::string& reason) {
  std::string said;
  for (const char c : reason) said += c >= 0x20 && c < 0x7f ? c : '?';
  return said.empty() ? fmt::format("{} closed the connection", peer)
                      : fmt::format("{} closed the connection (\"{}\")", peer, said);
}

std::string closed_by_us(const std::string& peer) {
  return fmt::format("the connection to {} was already closed on this side", peer);
}

void fail_receive_deadline(const std::string& peer, MessageType type, std::chrono::milliseconds wait) {
  fail_peer("{} sent nothing for {} s {}; it is overloaded, stuck or unreachable", peer, seconds(wait),
            while_receiving(type));
}

void fail_send_deadline(const std::string& peer, MessageType type, std::chrono::milliseconds wait) {
  fail_peer("{} took nothing for {} s {}; it is overloaded, stuck or unreachable", peer, seconds(wait),
            while_sending(type));
}

void check_announced(const std::string& peer, MessageType wanted, std::uint64_t min_bytes,
                     std::uint64_t max_bytes, MessageType announced, std::uint64_t announced_bytes) {
  if (announced != wanted) {
    fail_peer("{} sent message type {} where type {} is due; check that both parties run the same version",
              peer, announced, wanted);
  }
  if (announced_bytes >= min_bytes && announced_bytes <= max_bytes) return;
  const std::string due =
      min_bytes == max_bytes ? fmt::format("{}", min_bytes) : fmt::format("{} to {}", min_bytes, max_bytes);
  fail_peer(
      "{} sent {} bytes of message type {} where {} are due; check that both parties use the same package",
      peer, announced_bytes, wanted, due);
}

}  // namespace ap::net
