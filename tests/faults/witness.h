// Watches from outside the simulated world: what leaves the parties, and what must hold of it whatever
// crashes. Knows nothing of stores; an inference is recognised by the masks that show on the wire, and by the
// id that a party speaks of.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/channel/channel.h"
#include "protocol/store/preprocessing_store.h"
#include "tests/faults/tiny_network.h"

namespace ap::faults {

using Id = protocol::PreprocessingId;

class Witness {
 public:
  explicit Witness(const Served& served) : served_(served) {}

  /// One connection.
  struct Session {
    std::vector<std::int32_t> image;  ///< that the client is about to send
    int last_command = -1;
    Id last_id{};
    std::vector<std::uint64_t> masked;
    std::deque<std::optional<Id>>
        ready;  ///< inferences that the client may use, oldest first; the ids of stored ones
  };
  void saw(Session& session, bool from_client, net::MessageType type, ByteView payload);
  void violated(const std::string& what);

  std::vector<std::string> violations;
  std::set<Id> used_by_client, used_by_server, kept_by_server;
  std::uint64_t granted = 0;     ///< inferences that the server agreed to prepare
  std::uint64_t answered = 0;    ///< results that left the server
  std::uint64_t trace = 0;       ///< a hash of all that was seen
  bool content_changes = false;  ///< the network changes messages, so nothing is sure of what they mean

 private:
  void saw_masked_input(Session& session, ByteView payload);
  void saw_result(const Session& session, ByteView payload);

  const Served& served_;
  std::set<std::vector<std::uint64_t>> masks_, server_shares_;
};

}  // namespace ap::faults
