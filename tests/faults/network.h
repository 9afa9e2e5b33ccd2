// A network between the processes of a world: messages take their time, and connections end, fall silent or
// deliver something else where the plan of a connection says so. Deadlines are on the world's clock.
#pragma once

#include <functional>
#include <memory>

#include "net/channel/channel.h"
#include "tests/faults/world.h"

namespace ap::faults {

/// One thing that goes wrong on a connection, at a message counted over both directions from 0.
struct LinkFault {
  enum class Kind : std::uint8_t {
    none,
    cut_before,  ///< the connection breaks, and the message is not sent
    cut_inside,  ///< it breaks while the message is under way
    cut_after,   ///< it breaks when the message has arrived
    silence,     ///< this message and all after it never arrive, and nobody is told
    late,        ///< it arrives after every deadline
    flip_bit,    ///< a bit of it, the seed says which
    truncate,    ///< its last byte is missing
    wrong_type,
  };
  Kind kind = Kind::none;
  std::uint64_t message = 0;
  bool changes_content() const { return kind >= Kind::flip_bit; }
};

/// Sees what leaves a party, before the network does anything to it.
using Tap = std::function<void(bool from_client, net::MessageType, ByteView payload)>;

/// The client's end and the server's.
std::pair<std::unique_ptr<net::Channel>, std::unique_ptr<net::Channel>> connect(
    World& world, const Process& client, const Process& server, const LinkFault& fault, Tap tap);

}  // namespace ap::faults
