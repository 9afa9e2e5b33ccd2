#include "package/package.h"

#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "base/files.h"
#include "package/network_json.h"

namespace ap::package {
namespace {

// Layout (docs/package-format.md): magic, version, role, flags, sizes, zstd body, SHA-256 of all before it.
constexpr char kMagic[8] = {'A', 'P', 'M', '\r', '\n', 0x1a, 'p', 'n'};
constexpr std::uint16_t kVersion = 3;
constexpr std::size_t kHashBytes = 32;
constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxBody = std::uint64_t{1} << 31;

PackageId sha256(ByteView bytes) {
  PackageId digest;
  unsigned length = 0;
  AP_ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1);
  AP_ASSERT(length == digest.size());
  return digest;
}

Bytes compress(ByteView body) {
  Bytes out(ZSTD_compressBound(body.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 9);
  AP_ASSERT(!ZSTD_isError(size));
  out.resize(size);
  return out;
}

Bytes decompress(ByteView packed, std::uint64_t size, const std::string& name) {
  if (size > kMaxBody)
    fail_input("{} declares a body of {} bytes, more than the {} allowed", name, size, kMaxBody);
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != size) {
    fail_input("{} is damaged: its body does not have the declared size", name);
  }
  // In pieces, so that memory grows with what the frame really holds and not with what it declares.
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (!context) throw std::bad_alloc();
  Bytes body;
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  for (std::size_t left = 1; left != 0;) {
    const std::size_t before = body.size();
    body.resize(before + std::min<std::uint64_t>(kPiece, size - before));
    ZSTD_outBuffer out{body.data() + before, body.size() - before, 0};
    left = ZSTD_decompressStream(context.get(), &out, &in);
    body.resize(before + out.pos);
    const bool stuck = left != 0 && out.pos == 0 && in.pos == in.size;
    if (ZSTD_isError(left) || stuck) fail_input("{} is damaged: its body cannot be decompressed", name);
  }
  if (body.size() != size || in.pos != in.size)
    fail_input("{} is damaged: its body cannot be decompressed", name);
  return body;
}

Bytes frame(Role role, ByteView body) {
  const Bytes packed = compress(body);
  ByteWriter out;
  out.raw({reinterpret_cast<const std::uint8_t*>(kMagic), sizeof kMagic});
  out.u16(kVersion);
  out.u8(static_cast<std::uint8_t>(role));
  out.u8(0);
  out.u64(body.size());
  out.u64(packed.size());
  out.raw(packed);
  const PackageId digest = sha256(out.bytes());
  out.raw(digest);
  return out.take();
}

Bytes public_part(const Package& p) {
  const Json json = {{"network", network_to_json(p.network)},
                     {"plan", plan_to_json(p.plan)},
                     {"normalization", p.normalization},
                     {"labels", p.labels}};
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

void read_private_part(ByteReader& in, nn::QuantisedNetwork& network, const std::string& name) {
  private_from_json(Json::parse(in.string(kMaxBody)), network);
  const auto count = [&](std::size_t width) {
    const std::uint64_t n = in.u64();
    if (n > in.remaining() / width)
      fail_input("{} is truncated: {} weights announced, fewer are there", name, n);
    return static_cast<std::size_t>(n);
  };
  for (nn::QNode& node : network.nodes) {
    if (auto* linear = std::get_if<nn::QLinear>(&node.op)) {
      linear->weights.resize(count(2));
      for (std::int16_t& w : linear->weights) w = static_cast<std::int16_t>(in.u16());
      linear->bias.resize(count(8));
      for (std::int64_t& b : linear->bias) b = static_cast<std::int64_t>(in.u64());
    }
  }
}

}  // namespace

Pair make_packages(const Package& compiled) {
  const Bytes shared = public_part(compiled);
  Pair pair;
  pair.id = sha256(shared);
  ByteWriter client;
  client.u32(static_cast<std::uint32_t>(shared.size()));
  client.raw(shared);
  pair.client = frame(Role::client, client.bytes());
  client.raw(private_part(compiled.network));
  pair.server = frame(Role::server, client.bytes());
  return pair;
}

Package parse(ByteView file, const std::string& name) {
  ByteReader in(file, "package " + name);
  if (file.size() < sizeof kMagic || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0) {
    fail_input("{} is not an AutoPrivacy package; make one with: autoprivacy compile MODEL.onnx", name);
  }
  in.raw(sizeof kMagic);
  if (const int version = in.u16(); version != kVersion) {
    fail_input("{} has package version {}, this program reads {}; compile the network again", name, version,
               kVersion);
  }
  const int role = in.u8();
  if (role != static_cast<int>(Role::client) && role != static_cast<int>(Role::server)) {
    fail_input("{} is damaged: it is for role {}, which does not exist", name, role);
  }
  in.u8();
  const std::uint64_t body_size = in.u64();
  const std::uint64_t packed_size = in.u64();
  if (packed_size + kHashBytes != in.remaining()) {
    fail_input("{} is damaged: {} bytes announced, {} there; copy it again", name, packed_size + kHashBytes,
               in.remaining());
  }
  const ByteView packed = in.raw(packed_size);
  const ByteView digest = in.raw(kHashBytes);
  const PackageId actual = sha256(file.first(file.size() - kHashBytes));
  if (!std::equal(digest.begin(), digest.end(), actual.begin())) {
    fail_input("{} is damaged: its checksum does not match; copy it again", name);
  }
  const Bytes body_bytes = decompress(packed, body_size, name);
  ByteReader body(body_bytes, "package " + name);
  Package result;
  result.role = static_cast<Role>(role);
  const ByteView shared = body.raw(body.u32());
  result.id = sha256(shared);
  try {
    const Json json = Json::parse(shared.begin(), shared.end());
    result.network = network_from_json(json.at("network"));
    result.plan = plan_from_json(json.at("plan"));
    result.normalization = json.at("normalization").get<std::string>();
    result.labels = json.at("labels").get<std::vector<std::string>>();
    if (result.role == Role::server) read_private_part(body, result.network, name);
  } catch (const Json::exception& error) {
    fail_input("{} is damaged: {}", name, error.what());
  }
  body.expect_end();
  nn::validate(result.network,
               result.role == Role::server ? nn::WeightsRule::required : nn::WeightsRule::absent);
  plan::validate(result.plan, result.network);
  return result;
}

Package load(const std::filesystem::path& path) { return parse(read_file(path, kMaxFile), path.string()); }

Package load(const std::filesystem::path& path, Role role) {
  Package package = load(path);
  if (package.role != role) {
    fail_input("{} is the {} package; give the {} one here", path.string(),
               package.role == Role::client ? "client's" : "server's",
               role == Role::client ? "client's" : "server's");
  }
  return package;
}

std::string to_hex(const PackageId& id) { return fmt::format("{:02x}", fmt::join(id, "")); }

}  // namespace ap::package
