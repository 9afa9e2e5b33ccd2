#include "package/package.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "crypto/sha256.h"
#include "package/body.h"
#include "package/envelope.h"
#include "package/network_json.h"
#include "plan/claims.h"

namespace ap::package {
namespace {

using crypto::sha256;

// Of the ranges in the private part.
constexpr std::uint64_t kMaxRanges = std::uint64_t{4} << 20;
constexpr std::size_t kMaxLabels = 1 << 16, kMaxLabelBytes = 1024, kMaxNormalizationBytes = 1 << 16;
constexpr std::size_t kMaxFramingBytes = 64;

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

}  // namespace

Pair make_packages(const Package& compiled) {
  const Bytes shared = public_part(compiled);
  Pair pair;
  pair.id = sha256(shared);
  ByteWriter client;
  client.u32(static_cast<std::uint32_t>(shared.size()));
  client.raw(shared);
  pair.client = file_of(Party::client, Kind::hybrid, client.bytes());
  client.raw(private_part(compiled.network));
  pair.server = file_of(Party::server, Kind::hybrid, client.bytes());
  return pair;
}

Package parse(ByteView file, const std::string& name) {
  const auto [role, kind, body_size, packed] = open_envelope(file, name);
  if (kind != Kind::hybrid) {
    fail_input(
        "{} holds a network for homomorphic encryption alone (compile --protocol he), which this command does not take",
        name);
  }
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
  const auto [role, kind, body_size, packed] = open_envelope(file, name);
  BodyReader body(packed, body_size, name);
  const Bytes content = body.take(body_size);
  body.expect_end();
  return stored_file_of(role, kind, content);
}

std::filesystem::path signature_path(std::filesystem::path path) { return path += ".minisig"; }

Package load(const std::filesystem::path& path, const PublicKey* publisher) {
  return parse(read_package_file(path, publisher), path.string());
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
