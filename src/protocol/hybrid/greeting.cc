#include "protocol/hybrid/greeting.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace ap::protocol {

Greeting receive_greeting(net::Channel& channel, const package::PackageId& id) {
  const Bytes hello = channel.receive_exactly(kHello, kHelloBytes);
  ByteReader in(hello, "the client's greeting", ErrorCode::peer);
  if (const int version = in.u16(); version != kProtocolVersion) {
    return {Welcome::other_version,
            fmt::format("refused: the client speaks protocol version {}, this server {}", version,
                        kProtocolVersion)};
  }
  if (const ByteView theirs = in.raw(id.size()); !std::equal(theirs.begin(), theirs.end(), id.begin())) {
    return {Welcome::other_package, "refused: the client has another package"};
  }
  return {};
}

void answer_greeting(net::Channel& channel, const package::PackageId& id, Welcome status,
                     ShareStatistics share) {
  ByteWriter welcome;
  welcome.u8(static_cast<std::uint8_t>(status));
  welcome.u16(kProtocolVersion);
  welcome.raw(id);
  if (status == Welcome::ready) welcome.u8(static_cast<std::uint8_t>(share));
  channel.send(kWelcome, welcome.bytes());
}

}  // namespace ap::protocol
