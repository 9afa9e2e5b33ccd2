#include "tests/portable/recording.h"

#include "tests/support/paths.h"

namespace ap::portable {
namespace {

constexpr std::uint64_t kMagic = 0x3143455250415041;  // "APAPREC1"
constexpr std::size_t kMost = std::size_t{1} << 24;   // of anything

void put(ByteWriter& out, ByteView bytes) {
  out.u64(bytes.size());
  out.raw(bytes);
}

std::size_t count(ByteReader& in) {
  const std::uint64_t value = in.u64();
  if (value > kMost) fail_input("a recording holds a count of {}", value);
  return static_cast<std::size_t>(value);
}

Bytes get(ByteReader& in) {
  const ByteView bytes = in.raw(count(in));
  return {bytes.begin(), bytes.end()};
}

template <typename T>
void put_numbers(ByteWriter& out, const std::vector<T>& numbers) {
  out.u64(numbers.size());
  for (const T number : numbers) out.u64(static_cast<std::uint64_t>(std::int64_t{number}));
}

template <typename T>
std::vector<T> get_numbers(ByteReader& in) {
  std::vector<T> numbers(count(in));
  for (T& number : numbers) number = static_cast<T>(static_cast<std::int64_t>(in.u64()));
  return numbers;
}

}  // namespace

Bytes serialise(const Recording& recording) {
  ByteWriter out;
  out.u64(kMagic);
  put(out, recording.server_package);
  put(out, recording.client_package);
  out.u64(recording.inferences.size());
  for (const Inference& inference : recording.inferences) {
    put_numbers(out, inference.input);
    put_numbers(out, inference.result);
  }
  out.u64(recording.calls.size());
  for (const Call& call : recording.calls) {
    out.u8(static_cast<std::uint8_t>(call.direction));
    out.u16(call.type);
    if (call.direction == net::Direction::received) {
      put(out, call.payload);
    } else {
      out.u64(call.bytes);
      out.raw(call.hash);
    }
  }
  return out.take();
}

Recording parse_recording(ByteView bytes, const std::string& name) {
  ByteReader in(bytes, name);
  if (in.u64() != kMagic) fail_input("{} is no recording of a session", name);
  Recording recording;
  recording.server_package = get(in);
  recording.client_package = get(in);
  recording.inferences.resize(count(in));
  for (Inference& inference : recording.inferences) {
    inference.input = get_numbers<std::int32_t>(in);
    inference.result = get_numbers<std::int64_t>(in);
  }
  recording.calls.resize(count(in));
  for (Call& call : recording.calls) {
    call.direction = static_cast<net::Direction>(in.u8());
    call.type = in.u16();
    if (call.direction == net::Direction::received) {
      call.payload = get(in);
      call.bytes = call.payload.size();
      call.hash = crypto::sha256(call.payload);
    } else {
      call.bytes = in.u64();
      const ByteView hash = in.raw(call.hash.size());
      std::copy(hash.begin(), hash.end(), call.hash.begin());
    }
  }
  in.expect_end();
  return recording;
}

std::vector<Call> calls_of(const std::vector<net::RecordedMessage>& messages) {
  std::vector<Call> calls;
  for (const net::RecordedMessage& message : messages) {
    const bool received = message.direction == net::Direction::received;
    calls.push_back({message.direction, message.type, message.payload.size(), crypto::sha256(message.payload),
                     received ? message.payload : Bytes()});
  }
  return calls;
}

std::filesystem::path recording_path(const std::string& name) {
  return tests::source_dir() / "tests/portable" / (name + ".recording");
}

}  // namespace ap::portable
