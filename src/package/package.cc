#include "package/package.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "base/files.h"
#include "crypto/sha256.h"
#include "package/body.h"
#include "package/network_json.h"
#include "package/stored_frame.h"
#include "plan/claims.h"

namespace ap::package {
namespace {

using crypto::sha256;

// Layout (docs/package-format.md): magic, version, role, flags, sizes, zstd body, SHA-256 of all before it.
constexpr char kMagic[8] = {'A', 'P', 'M', '\r', '\n', 0x1a, 'p', 'n'};
constexpr std::uint16_t kVersion = 3;
constexpr std::size_t kHashBytes = 32;
constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxBody = std::uint64_t{1} << 31;
// Of the public part, and of the ranges in the private one. The public part of a network of ImageNet scale
// has some tens of kilobytes; only a long list of indices (a gather node) has more.
constexpr std::uint64_t kMaxPublic = std::uint64_t{16} << 20, kMaxRanges = std::uint64_t{4} << 20;
constexpr std::size_t kHeadBytes = 28;
constexpr std::uint64_t kMaxSignatureFile = 1 << 16;
constexpr std::size_t kMaxLabels = 1 << 16, kMaxLabelBytes = 1024, kMaxNormalizationBytes = 1 << 16;
constexpr std::size_t kMaxFramingBytes = 64;

/// What ZSTD_compressBound says of so many bytes, and stored_frame never exceeds.
constexpr std::uint64_t packed_bound(std::uint64_t bytes) { return bytes + (bytes >> 8); }

Bytes frame_of(ByteView content) {
#if defined(AP_NO_ZSTD)
  return stored_frame(content);
#else
  return zstd_frame(content);
#endif
}

/// A file around the frame of `body_bytes` bytes of content.
Bytes file_of(Party role, std::size_t body_bytes, ByteView packed) {
  ByteWriter out;
  out.raw({reinterpret_cast<const std::uint8_t*>(kMagic), sizeof kMagic});
  out.u16(kVersion);
  out.u8(static_cast<std::uint8_t>(role));
  out.u8(0);
  out.u64(body_bytes);
  out.u64(packed.size());
  out.raw(packed);
  const PackageId digest = sha256(out.bytes());
  out.raw(digest);
  return out.take();
}

Bytes public_part(const Package& p) {
  Json json = {{"network", network_to_json(p.network)},
               {"plan", plan_to_json(p.plan)},
               {"normalization", p.normalization},
               {"labels", p.labels}};
  if (!p.framing.empty()) json["framing"] = p.framing;
  const std::string text = json.dump();
  return Bytes(text.begin(), text.end());
}

Bytes private_part(const nn::QuantisedNetwork& network) {
  ByteWriter out;
  out.string(private_to_json(network).dump());
  for (const nn::QNode& node : network.nodes) {
    if (const auto* linear = std::get_if<nn::QLinear>(&node.op)) {
      out.u64(linear->weights.size());
      for (const std::int16_t w : linear->weights) out.u16(static_cast<std::uint16_t>(w));
      out.u64(linear->bias.size());
      for (const std::int64_t b : linear->bias) out.u64(static_cast<std::uint64_t>(b));
    }
  }
  return out.take();
}

/// The words of one array of a layer. `count` is what the public part says that there are, and is known to be
/// sane.
template <typename T>
std::vector<T> read_words(BodyReader& body, std::int64_t count, const std::string& name,
                          const std::string& layer) {
  const auto expected = static_cast<std::uint64_t>(count);
  if (const std::uint64_t there = body.u64(); there != expected) {
    fail_input("{} is damaged: layer {} has {} weights or biases where {} are expected", name, layer, there,
               expected);
  }
  const Bytes bytes = body.take(expected * sizeof(T));
  std::vector<T> words(expected);
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

void read_private_part(BodyReader& body, nn::QuantisedNetwork& network, const std::string& name) {
  const std::uint32_t length = body.u32();
  if (length > kMaxRanges) {
    fail_input("{} holds ranges of {} bytes where at most {} are allowed", name, length, kMaxRanges);
  }
  const std::string what = "the private part of package " + name;
  const Json json = parse_json(body.take(length), what);
  private_from_json({json, what}, network);
  for (nn::QNode& node : network.nodes) {
    if (auto* linear = std::get_if<nn::QLinear>(&node.op)) {
      const linear::Geometry geometry = linear::geometry_of(*linear, node.shape.c);
      linear->weights = read_words<std::int16_t>(body, geometry.weight_count(), name, node.name);
      linear->bias = read_words<std::int64_t>(body, node.shape.c, name, node.name);
    }
  }
}

/// Bytes of the public part, read and known to be few.
Bytes read_public_part(BodyReader& body, const std::string& name) {
  const std::uint32_t length = body.u32();
  if (length > kMaxPublic) {
    fail_input("{} holds a public part of {} bytes, more than the {} allowed", name, length, kMaxPublic);
  }
  return body.take(length);
}

std::vector<std::string> labels_from(const JsonReader& json) {
  std::vector<std::string> labels(json.size(kMaxLabels));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = json.element(i).text(kMaxLabelBytes);
  return labels;
}

/// The largest body and file of a role.
std::uint64_t max_body(Party role) { return role == Party::client ? 4 + kMaxPublic : kMaxBody; }
std::uint64_t max_file(Party role) {
  return role == Party::client ? kHeadBytes + kHashBytes + packed_bound(4 + kMaxPublic) : kMaxFile;
}

void require_signature(const std::filesystem::path& path, ByteView file, const PublicKey& publisher) {
  const std::filesystem::path signature = signature_path(path);
  std::error_code ignored;
  if (!std::filesystem::exists(signature, ignored)) {
    fail_security("{} is not signed: there is no {}; get it from the publisher, or do not use the package",
                  path.string(), signature.string());
  }
  const Bytes text = read_file(signature, kMaxSignatureFile);
  verify(file, {reinterpret_cast<const char*>(text.data()), text.size()}, publisher, path.string());
}

Party role_of(int byte, const std::string& name) {
  if (byte == static_cast<int>(Party::client)) return Party::client;
  if (byte == static_cast<int>(Party::server)) return Party::server;
  fail_input("{} is damaged: it is for role {}, which does not exist", name, byte);
}

/// The outside of a file: known to be of this version and undamaged, of at most the size that its role allows.
struct Envelope {
  Party role;
  std::uint64_t body_size;
  ByteView packed;
};
Envelope open_envelope(ByteView file, const std::string& name) {
  ByteReader in(file, "package " + name);
  if (file.size() < sizeof kMagic || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0) {
    fail_input("{} is not an AutoPrivacy package; make one with: autoprivacy compile MODEL.onnx", name);
  }
  in.raw(sizeof kMagic);
  if (const int version = in.u16(); version != kVersion) {
    fail_input("{} has package version {}, this program reads {}; compile the network again", name, version,
               kVersion);
  }
  const Party role = role_of(in.u8(), name);
  in.u8();
  const std::uint64_t body_size = in.u64();
  const std::uint64_t packed_size = in.u64();
  if (in.remaining() < kHashBytes || packed_size != in.remaining() - kHashBytes) {
    fail_input("{} is damaged: {} bytes announced, {} there; copy it again", name, packed_size + kHashBytes,
               in.remaining());
  }
  const ByteView packed = in.raw(packed_size);
  const ByteView digest = in.raw(kHashBytes);
  const PackageId actual = sha256(file.first(file.size() - kHashBytes));
  if (!std::equal(digest.begin(), digest.end(), actual.begin())) {
    fail_input("{} is damaged: its checksum does not match; copy it again", name);
  }
  if (body_size > max_body(role)) {
    fail_input("{} declares a body of {} bytes, more than the {} allowed", name, body_size, max_body(role));
  }
  return {role, body_size, packed};
}

}  // namespace

Pair make_packages(const Package& compiled) {
  const Bytes shared = public_part(compiled);
  Pair pair;
  pair.id = sha256(shared);
  ByteWriter client;
  client.u32(static_cast<std::uint32_t>(shared.size()));
  client.raw(shared);
  pair.client = file_of(Party::client, client.bytes().size(), frame_of(client.bytes()));
  client.raw(private_part(compiled.network));
  pair.server = file_of(Party::server, client.bytes().size(), frame_of(client.bytes()));
  return pair;
}

Package parse(ByteView file, const std::string& name) {
  const auto [role, body_size, packed] = open_envelope(file, name);
  BodyReader body(packed, body_size, name);
  Package result;
  result.role = role;
  const Bytes shared = read_public_part(body, name);
  result.id = sha256(shared);
  const std::string what = "package " + name;
  {
    const Json tree = parse_json(shared, what, {.max_bytes = kMaxPublic});
    const JsonReader json(tree, what);
    result.network = network_from_json(json.at("network"));
    result.plan = plan_from_json(json.at("plan"));
    result.normalization = json.at("normalization").text(kMaxNormalizationBytes);
    if (json.has("framing")) result.framing = json.at("framing").text(kMaxFramingBytes);
    result.labels = labels_from(json.at("labels"));
  }
  // Shapes and counts, before any memory is taken for weights.
  nn::validate(result.network, nn::WeightsRule::absent);
  if (role == Party::server) read_private_part(body, result.network, name);
  body.expect_end();
  if (role == Party::server) nn::validate(result.network, nn::WeightsRule::required);
  plan::validate(result.plan, result.network);
  plan::check_claims(result.plan, result.network);
  return result;
}

Bytes without_compression(ByteView file, const std::string& name) {
  const auto [role, body_size, packed] = open_envelope(file, name);
  BodyReader body(packed, body_size, name);
  const Bytes content = body.take(body_size);
  body.expect_end();
  return file_of(role, content.size(), stored_frame(content));
}

std::filesystem::path signature_path(std::filesystem::path path) { return path += ".minisig"; }

Package load(const std::filesystem::path& path, const PublicKey* publisher) {
  // What is no package for a server is small.
  const Bytes head = read_start(path, kHeadBytes);
  const bool large = head.size() == kHeadBytes && head[10] == static_cast<std::uint8_t>(Party::server);
  const Bytes file = read_file(path, max_file(large ? Party::server : Party::client));
  if (publisher) require_signature(path, file, *publisher);
  return parse(file, path.string());
}

Package load(const std::filesystem::path& path, Party role, const PublicKey* publisher) {
  Package package = load(path, publisher);
  if (package.role != role) {
    fail_input("{} is the {} package; give the {} one here", path.string(),
               package.role == Party::client ? "client's" : "server's",
               role == Party::client ? "client's" : "server's");
  }
  return package;
}

std::string to_hex(const PackageId& id) { return fmt::format("{:02x}", fmt::join(id, "")); }

}  // namespace ap::package
