#include "fuzz/support/script.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <random>
#include <thread>

#include "fuzz/support/bytes.h"
#include "fuzz/support/randomness.h"
#include "fuzz/support/target.h"
#include "net/channel/channel_errors.h"
#include "net/channel/recording_channel.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace ap::fuzz {
namespace {

constexpr std::uint32_t kClient = 1, kServer = 2;

// One edit: kind (1 byte), message (1), offset in its payload (4), value (4), all modulo what there is.
constexpr std::size_t kEditBytes = 10;
enum class Edit : std::uint8_t {
  flip_bit,
  set_byte,
  set_word,
  truncate,
  extend,
  change_type,
  drop,
  repeat,
  swap,
  copy,
  insert_empty,
  end,
  fill,
  count
};

void apply(Script& script, ByteView record) {
  if (script.empty()) return;
  Choices choices(record);
  const auto kind = static_cast<Edit>(choices.number(1) % static_cast<unsigned>(Edit::count));
  const std::size_t index = choices.number(1) % script.size();
  const auto offset = static_cast<std::size_t>(choices.number(4));
  const auto value = static_cast<std::uint32_t>(choices.number(4));
  const auto at = script.begin() + static_cast<std::ptrdiff_t>(index);
  Bytes& payload = at->payload;
  const std::size_t place = payload.empty() ? 0 : offset % payload.size();
  switch (kind) {
    case Edit::flip_bit:
      if (!payload.empty()) payload[place] ^= static_cast<std::uint8_t>(1U << value % 8);
      break;
    case Edit::set_byte:
      if (!payload.empty()) payload[place] = static_cast<std::uint8_t>(value);
      break;
    case Edit::set_word:
      if (!payload.empty()) {
        std::memcpy(payload.data() + place, &value, std::min<std::size_t>(4, payload.size() - place));
      }
      break;
    case Edit::truncate:
      payload.resize(place);
      break;
    case Edit::extend:
      payload.resize(payload.size() + value % 4096, static_cast<std::uint8_t>(offset));
      break;
    case Edit::change_type:
      at->type = static_cast<net::MessageType>(value);
      break;
    case Edit::drop:
      script.erase(at);
      break;
    case Edit::repeat:
      if (script.size() < 1000) script.insert(at, Message(*at));
      break;
    case Edit::swap:
      std::swap(*at, script[value % script.size()]);
      break;
    case Edit::copy:
      payload = Bytes(script[value % script.size()].payload);
      break;
    case Edit::insert_empty:
      script.insert(at, Message{static_cast<net::MessageType>(value), Bytes(offset % 64)});
      break;
    case Edit::end:
      script.resize(index);
      break;
    case Edit::fill:
      std::fill(payload.begin() + static_cast<std::ptrdiff_t>(place), payload.end(),
                static_cast<std::uint8_t>(value));
      break;
    case Edit::count:
      break;
  }
}

Script received(const net::RecordingChannel& channel) {
  Script script;
  for (net::RecordedMessage& m : channel.messages()) {
    if (m.direction == net::Direction::received) script.push_back({m.type, std::move(m.payload)});
  }
  return script;
}

}  // namespace

void ScriptChannel::send(net::MessageType type, ByteView payload) {
  if (closed_) fail_peer("{} {}", net::closed_by_us(peer()), net::while_sending(type));
  ++traffic_.messages_sent;
  traffic_.bytes_sent += net::kHeaderBytes + payload.size();
}

Bytes ScriptChannel::receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) {
  if (closed_ || next_ == script_.size())
    fail_peer("{} {}", net::closed_by_peer(peer()), net::while_receiving(type));
  Message& message = script_[next_++];
  try {
    net::check_announced(peer(), type, min_bytes, max_bytes, message.type, message.payload.size());
  } catch (...) {
    close();
    throw;
  }
  ++traffic_.messages_received;
  traffic_.bytes_received += net::kHeaderBytes + message.payload.size();
  return std::move(message.payload);
}

Recording record(const Protocol& protocol) {
  auto [client_end, server_end] = net::make_local_channels();
  net::RecordingChannel client(std::move(client_end), net::RecordingChannel::Keep::messages);
  net::RecordingChannel server(std::move(server_end), net::RecordingChannel::Keep::messages);
  std::exception_ptr error;
  std::thread other([&] {
    reset_randomness(kServer);
    try {
      protocol.server(server);
    } catch (...) {
      error = std::current_exception();
      server.close();
    }
  });
  reset_randomness(kClient);
  try {
    protocol.client(client);
  } catch (...) {
    if (!error) error = std::current_exception();
    client.close();
  }
  other.join();
  if (error) std::rethrow_exception(error);
  return {received(client), received(server)};
}

Script edited(Script script, ByteView edits) {
  for (; edits.size() >= kEditBytes; edits = edits.subspan(kEditBytes))
    apply(script, edits.first(kEditBytes));
  return script;
}

std::size_t mutate_edits(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  const auto fill = [&](std::uint8_t* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(random() >> 8);
  };
  if (size == 0) {
    fill(data, 1);
    return 1;
  }
  const std::size_t count = (size - 1) / kEditBytes;
  std::uint8_t* const edits = data + 1;
  std::uint8_t* const edit = edits + (count == 0 ? 0 : random() % count * kEditBytes);
  switch (random() % 8) {
    case 0:  // another scene
      fill(data, 1);
      return size;
    case 1:
    case 2:  // one more
      if (1 + (count + 1) * kEditBytes > max_size) break;
      fill(edits + count * kEditBytes, kEditBytes);
      return 1 + (count + 1) * kEditBytes;
    case 3:  // one less
      if (count == 0) break;
      std::memmove(edit, edits + (count - 1) * kEditBytes, kEditBytes);
      return 1 + (count - 1) * kEditBytes;
    case 4:  // another kind, message or place
      if (count == 0) break;
      fill(edit + std::size_t{random() % kEditBytes}, 1);
      return 1 + count * kEditBytes;
    case 5:  // near the front of the message, where its structure is
      if (count == 0) break;
      std::memset(edit + 2, 0, 3);
      edit[5] = static_cast<std::uint8_t>(random() >> 8);
      return 1 + count * kEditBytes;
    default:
      break;
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

std::vector<Bytes> edit_seeds() {
  std::vector<Bytes> seeds;
  for (std::uint8_t scene = 0; scene < 8; ++scene) {
    seeds.push_back({scene});
    for (std::uint8_t kind = 0; kind < static_cast<std::uint8_t>(Edit::count); ++kind) {
      if ((kind + scene) % 4 == 0)
        seeds.push_back({scene, kind, static_cast<std::uint8_t>(kind * 3), 0, 0, 0, 1, 0, 0, 1, 2});
    }
  }
  return seeds;
}

void play(const std::vector<Scene>& scenes, ByteView input) {
  Choices choices(input);
  const std::uint64_t choice = choices.number(1);
  const Scene& scene = scenes[choice / 2 % scenes.size()];
  const bool server = choice % 2 == 1;
  const Script& script = server ? scene.recording.to_server : scene.recording.to_client;
  const bool honest = input.size() < kEditBytes;
  ScriptChannel channel(edited(script, input));
  reset_randomness(server ? kServer : kClient);
  try {
    (server ? scene.protocol.server : scene.protocol.client)(channel);
  } catch (const Error& error) {
    if (honest) std::fprintf(stderr, "%s\n", error.what());
    require(!honest, "an honest peer is answered");
    throw;
  }
}

std::vector<Scene> recorded(const std::vector<Protocol>& protocols) {
  std::vector<Scene> scenes;
  for (const Protocol& protocol : protocols) scenes.push_back({protocol, record(protocol)});
  return scenes;
}

Target party_target(const char* name, void (*run)(ByteView)) {
  return {.name = name,
          .run = run,
          .seeds = edit_seeds,
          .mistakes = Mistakes::of_a_peer,
          .max_bytes = 256,
          .mutate = mutate_edits};
}

}  // namespace ap::fuzz
