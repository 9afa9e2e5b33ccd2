// The .apm file: a quantised network and its plan. `server.apm` holds the weights; `client.apm` holds
// everything that is public (architecture, shapes, shifts, moduli, HE parameters) and nothing else. Both hold
// the same public part byte for byte, and its SHA-256 is the package id that the two parties compare before
// an inference. The format is described in docs/package-format.md.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/party.h"
#include "nn/ir/quantised_network.h"
#include "package/minisign.h"
#include "plan/plan.h"

namespace ap::package {

using PackageId = std::array<std::uint8_t, 32>;

struct Package {
  Party role = Party::client;
  /// With weights, scales and exact ranges for the server; without them (scales only of input and logits) for
  /// the client.
  nn::QuantisedNetwork network;
  plan::Plan plan;
  std::string normalization;        ///< as given to compile: "scale=255 mean=... std=..."
  std::string framing;              ///< how pictures get the network's size: "resize=... crop=...", or empty
  std::vector<std::string> labels;  ///< class names, or empty
  PackageId id{};                   ///< SHA-256 of the public part; set by load and by make_packages
};

/// The two packages of a freshly compiled network (with weights).
struct Pair {
  Bytes server, client;
  PackageId id{};
};
Pair make_packages(const Package& compiled);

/// Reads and validates everything: magic, version, hash, sizes, shapes, indices, plan. The result is safe to
/// use.
/// @throws Error(input) that says what is wrong with the file.
Package parse(ByteView file, const std::string& name);
/// The same package with its body as it is, for clients that have no Zstandard; every program reads it.
/// @throws Error(input) as parse does of the outside of a file
Bytes without_compression(ByteView file, const std::string& name);
/// With a publisher's key, the file must be signed with it (in PATH.minisig), and nothing in it is looked at before that
/// is known.
/// @throws Error(security) if it is not.
Package load(const std::filesystem::path& path, const PublicKey* publisher = nullptr);
/// load, and fails unless the package is for this role.
Package load(const std::filesystem::path& path, Party role, const PublicKey* publisher = nullptr);

/// Where the signature of a file lies: PATH.minisig.
std::filesystem::path signature_path(std::filesystem::path path);

std::string to_hex(const PackageId& id);

}  // namespace ap::package
