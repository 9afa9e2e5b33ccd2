#include "tests/transcripts/play.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <span>
#include <thread>

#include "base/error.h"
#include "protocol/hybrid/messages.h"
#include "tests/transcripts/frozen.h"

namespace ap::transcripts {
namespace {

using net::Direction;
using net::RecordedMessage;
using Messages = std::span<const RecordedMessage>;

/// As docs/wire-format.md frames it. Times and memory that a server tells are not the same in two runs, and
/// are zeros here.
void add_message(ByteWriter& out, const RecordedMessage& message) {
  out.u16(message.type);
  out.u64(message.payload.size());
  out.raw(message.type == protocol::kStatistics ? Bytes(message.payload.size()) : message.payload);
}

std::string one_direction(Messages messages, Direction direction) {
  ByteWriter out;
  int count = 0;
  for (const RecordedMessage& message : messages) {
    if (message.direction != direction) continue;
    add_message(out, message);
    ++count;
  }
  return fmt::format("{} messages, {} bytes, {}", count, out.bytes().size(), sha256(out.bytes()));
}

/// All messages in the order of one party's calls, each with its direction.
std::string order(Messages messages) {
  ByteWriter out;
  for (const RecordedMessage& message : messages) {
    out.u8(message.direction == Direction::sent ? 's' : 'r');
    add_message(out, message);
  }
  return sha256(out.bytes());
}

const char* name_of(const RecordedMessage& command) {
  switch (static_cast<protocol::Command>(command.payload.at(0))) {
    case protocol::Command::goodbye:
      return "goodbye";
    case protocol::Command::prepare:
      return "prepare";
    case protocol::Command::infer:
      return "infer";
    case protocol::Command::probe:
      return "probe";
    case protocol::Command::store:
      return "store";
    case protocol::Command::use:
      return "use";
  }
  return "unknown";
}

/// What both parties sent, cut where the client sent a command.
std::string by_command(Messages messages) {
  std::string text;
  const char* name = "greeting";
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= messages.size(); ++i) {
    if (i < messages.size() && messages[i].type != protocol::kCommand) continue;
    const Messages phase = messages.subspan(begin, i - begin);
    text += fmt::format("  {}\n    client: {}\n    server: {}\n", name, one_direction(phase, Direction::sent),
                        one_direction(phase, Direction::received));
    if (i < messages.size()) name = name_of(messages[i]);
    begin = i;
  }
  return text;
}

const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::input:
      return "input";
    case ErrorCode::peer:
      return "peer";
    case ErrorCode::security:
      return "security";
    default:
      return "other";
  }
}

}  // namespace

Play::Play(const package::Package& compiled)
    : served_(package::parse(package::make_packages(compiled).server, "server.apm")), client_model_([&] {
        const package::Package client = package::parse(package::make_packages(compiled).client, "client.apm");
        return protocol::Model(client.network, client.plan);
      }()) {
  id = served_.package.id;
  text_ = "package " + package::to_hex(id) + '\n';
}

template <typename Talk>
void Play::converse(const Talk& talk) {
  const std::uint64_t of_nobody = draws_of_nobody();
  auto [client_end, server_end] = net::make_local_channels();
  using net::RecordingChannel;
  RecordingChannel client_side(std::move(client_end), RecordingChannel::Keep::messages);
  RecordingChannel server_side(std::move(server_end), RecordingChannel::Keep::messages);
  std::string server_error;
  std::thread server([&] {
    const Playing playing(server_);
    try {
      protocol::serve_session(served_.server, server_side, server_options);
    } catch (const Error& error) {
      server_error = name_of(error.code());
    }
    server_side.close();
  });
  try {
    const Playing playing(client_);
    talk(client_side);
  } catch (const Error& error) {
    note(fmt::format("the client's error: {}", name_of(error.code())));
  }
  client_side.close();
  server.join();
  if (!server_error.empty()) note(fmt::format("the server's error: {}", server_error));

  EXPECT_EQ(client_side.hash_of(Direction::sent), server_side.hash_of(Direction::received));
  EXPECT_EQ(client_side.hash_of(Direction::received), server_side.hash_of(Direction::sent));
  EXPECT_EQ(draws_of_nobody(), of_nobody) << "a thread of neither party draws randomness";
  const auto client_view = client_side.messages(), server_view = server_side.messages();
  text_ += fmt::format("session {}\n{}  order at the client {}\n  order at the server {}\n{}", ++sessions_,
                       by_command(client_view), order(client_view), order(server_view), notes_);
  notes_.clear();
}

void Play::session(const std::function<void(protocol::ClientSession&)>& talk) {
  converse([&](net::Channel& channel) {
    protocol::ClientOptions options;
    options.weak = protocol::WeakParameters::allow_for_tests;  // of layers packed for SIMD, in small rings
    protocol::ClientSession client(client_model_, id, channel, options);
    talk(client);
    client.finish();
  });
}

void Play::greet(ByteView hello) {
  converse([&](net::Channel& channel) {
    channel.send(protocol::kHello, hello);
    channel.receive(protocol::kWelcome, 0, 100);
  });
}

void Play::infer(protocol::ClientSession& session, std::uint64_t number) {
  const auto result = session.infer(served_.image(number));
  note(fmt::format("image {}: {} {}", number, client_model_.reveals_label() ? "label" : "logits",
                   fmt::join(result, " ")));
}

std::string Play::text() const {
  return text_ + fmt::format("draws: client {}, server {}\n", client_.draws(), server_.draws());
}

}  // namespace ap::transcripts
