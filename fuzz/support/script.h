// A hostile peer. What an honest party sent in a recorded run is the script; an input is a list of edits of
// it. The party under test then meets messages that are right up to the first edit, which no fuzzer would
// find by itself: most of them are longer than its inputs and under hashes.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "fuzz/support/target.h"
#include "net/channel/channel.h"

namespace ap::fuzz {

struct Message {
  net::MessageType type = 0;
  Bytes payload;
};
using Script = std::vector<Message>;

/// Plays a script to whoever receives from it, and drops what it is sent. One thread; never waits: where a
/// real peer would be silent, the connection is closed.
class ScriptChannel final : public net::Channel {
 public:
  explicit ScriptChannel(Script script) : script_(std::move(script)) {}
  void send(net::MessageType type, ByteView payload) override;
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override;
  void set_deadline(std::chrono::milliseconds) override {}
  void close() override { closed_ = true; }
  net::Traffic traffic() const override { return traffic_; }

 private:
  Script script_;
  std::size_t next_ = 0;
  bool closed_ = false;
  net::Traffic traffic_;
};

/// A protocol of two parties: each function is given its end of the channel.
struct Protocol {
  std::function<void(net::Channel&)> client, server;
};
/// What each party received in an honest run. Deterministic: each party draws the randomness of its number
/// (randomness.h), which play() gives it again.
struct Recording {
  Script to_client, to_server;
};
Recording record(const Protocol& protocol);

/// Applies the edits that an input stands for (script.cc).
Script edited(Script script, ByteView edits);
/// A Target::mutate for lists of edits.
std::size_t mutate_edits(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);
/// Edits that do nothing and that do one thing each.
std::vector<Bytes> edit_seeds();

/// Runs one party, `client` or `server`, against an edited script. The first byte of the input chooses among
/// `recordings` and the party.
struct Scene {
  Protocol protocol;
  Recording recording;
};
void play(const std::vector<Scene>& scenes, ByteView input);
/// Each protocol with its honest run.
std::vector<Scene> recorded(const std::vector<Protocol>& protocols);

/// A target whose inputs are lists of edits that `run` plays.
Target party_target(const char* name, void (*run)(ByteView));

}  // namespace ap::fuzz
