#include "protocol/hybrid/greeting.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace ap::protocol {

Hello receive_hello(net::Channel& channel) {
  const Bytes bytes = channel.receive_exactly(kHello, kHelloBytes);
  ByteReader in(bytes, "the client's greeting", ErrorCode::peer);
  Hello hello;
  hello.version = in.u16();
  const ByteView package = in.raw(hello.package.size());
  std::copy(package.begin(), package.end(), hello.package.begin());
  return hello;
}

Greeting receive_greeting(net::Channel& channel, const package::PackageId& id) {
  const Hello hello = receive_hello(channel);
  if (hello.version != kProtocolVersion) {
    return {Welcome::other_version,
            fmt::format("refused: the client speaks protocol version {}, this server {}", hello.version,
                        kProtocolVersion)};
  }
  if (hello.package != id) return {Welcome::other_package, "refused: the client has another package"};
  return {};
}

namespace {

/// What every greeting of a server begins with.
void begin(ByteWriter& out, Welcome status, const package::PackageId& id) {
  out.u8(static_cast<std::uint8_t>(status));
  out.u16(kProtocolVersion);
  out.raw(id);
}

std::uint32_t bounded(std::chrono::seconds time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.count(), 0, kMaxWaitSeconds));
}

}  // namespace

void answer_waiting(net::Channel& channel, const package::PackageId& id, std::size_t place,
                    std::chrono::seconds about) {
  ByteWriter welcome;
  begin(welcome, Welcome::waiting, id);
  welcome.u32(static_cast<std::uint32_t>(std::min<std::size_t>(place, kMaxPlace)));
  welcome.u32(bounded(about));
  channel.send(kWelcome, welcome.bytes());
}

void answer_busy(net::Channel& channel, const package::PackageId& id, std::chrono::seconds again) {
  ByteWriter welcome;
  begin(welcome, Welcome::busy, id);
  welcome.u32(bounded(again));
  channel.send(kWelcome, welcome.bytes());
}

void answer_greeting(net::Channel& channel, const package::PackageId& id, Welcome status,
                     ShareStatistics share) {
  ByteWriter welcome;
  begin(welcome, status, id);
  if (status == Welcome::ready) welcome.u8(static_cast<std::uint8_t>(share));
  channel.send(kWelcome, welcome.bytes());
}

namespace {

Waiting waiting_of(ByteReader& in) {
  Waiting waiting;
  waiting.place = in.u32();
  const std::uint32_t seconds = in.u32();
  in.expect_end();
  if (waiting.place == 0 || waiting.place > kMaxPlace || seconds > kMaxWaitSeconds) {
    fail_peer("the server puts this client at place {} of its queue for {} s, which cannot be", waiting.place,
              seconds);
  }
  waiting.about = std::chrono::seconds(seconds);
  return waiting;
}

/// A greeting that is the last.
ShareStatistics last_greeting(Welcome status, ByteView served, ByteReader& in, const package::PackageId& id) {
  switch (status) {
    case Welcome::ready:
      break;
    case Welcome::busy: {
      const std::chrono::seconds again(in.remaining() >= 4 ? std::min(in.u32(), kMaxWaitSeconds) : 0);
      throw ServerBusy(
          "the server has no free place for another session now; try again " +
              (again.count() > 0 ? fmt::format("in about {} s", again.count()) : std::string("later")),
          again);
    }
    case Welcome::other_package:
      if (std::all_of(served.begin(), served.end(), [](std::uint8_t byte) { return byte == 0; })) {
        fail_peer(
            "the server serves several networks, and none is that of this client.apm (package {}); use the client.apm "
            "that was compiled with one of them",
            package::to_hex(id));
      }
      fail_peer(
          "the server serves another package than this client.apm; use the client.apm that was compiled with it");
    default:
      fail_peer("the server's greeting holds the unknown status {}", static_cast<int>(status));
  }
  if (!std::equal(served.begin(), served.end(), id.begin())) {
    fail_peer(
        "the server greets with another package id than it accepted; use the client.apm that was compiled with it");
  }
  const int statistics = in.u8();
  if (statistics > static_cast<int>(ShareStatistics::process)) {
    fail_peer("the server's greeting promises the unknown kind {} of statistics", statistics);
  }
  in.expect_end();
  return static_cast<ShareStatistics>(statistics);
}

}  // namespace

ShareStatistics greet_server(net::Channel& channel, const package::PackageId& id,
                             std::chrono::milliseconds patience,
                             const std::function<void(const Waiting&)>& on_wait) {
  ByteWriter hello;
  hello.u16(kProtocolVersion);
  hello.raw(id);
  channel.send(kHello, hello.bytes());
  const auto since = std::chrono::steady_clock::now();
  for (;;) {
    // A refusal ends with the package id, in every version; to clients that wait there is more in this one.
    const Bytes welcome = channel.receive(kWelcome, 1 + 2 + 32, 1 + 2 + 32 + 4 + 4);
    ByteReader in(welcome, "the server's greeting", ErrorCode::peer);
    const auto status = static_cast<Welcome>(in.u8());
    const int version = in.u16();
    const ByteView served = in.raw(32);
    if (status == Welcome::other_version || version != kProtocolVersion) {
      fail_peer("the server speaks protocol version {}, this client {}; use matching versions", version,
                kProtocolVersion);
    }
    if (status != Welcome::waiting) return last_greeting(status, served, in, id);
    const Waiting waiting = waiting_of(in);
    const auto waited = std::chrono::steady_clock::now() - since;
    if (waited >= patience) {
      throw ServerBusy(
          fmt::format(
              "the server has no free place for another session now: after {:.0f} s {} clients are still before this "
              "one, which may take {} s; try again later, or wait longer",
              std::chrono::duration<double>(waited).count(), waiting.place - 1, waiting.about.count()),
          waiting.about);
    }
    if (on_wait) on_wait(waiting);
  }
}

}  // namespace ap::protocol
