// Complete sessions of both parties of one package, and a text that says every byte they sent.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "net/channel/recording_channel.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/server.h"
#include "tests/faults/tiny_network.h"
#include "tests/transcripts/seeded_random.h"

namespace ap::transcripts {

class Play {
 public:
  /// Both parties read their file as it would lie on a disk.
  explicit Play(const package::Package& compiled);

  /// One session on a connection of its own. The parties go on drawing from where the session before ended.
  /// An Error of either party ends the session and is part of the text.
  void session(const std::function<void(protocol::ClientSession&)>& talk);
  /// A client that says no more than this first message, and waits for the answer.
  void greet(ByteView hello);

  /// One inference of image `number`; the result is part of the text.
  void infer(protocol::ClientSession& session, std::uint64_t number);
  /// One more line of the text.
  void note(const std::string& line) { notes_ += "  " + line + '\n'; }

  std::string text() const;

  package::PackageId id;  ///< that the client asks for
  protocol::ServerOptions server_options;
  const faults::Served& served() const { return served_; }

 private:
  template <typename Talk>
  void converse(const Talk& talk);

  faults::Served served_;
  protocol::Model client_model_;
  Randomness client_{"transcript, client"}, server_{"transcript, server"};
  std::string text_, notes_;
  int sessions_ = 0;
};

}  // namespace ap::transcripts
