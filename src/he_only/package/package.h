// The packages of a network that runs by homomorphic encryption alone (docs/package-format.md): what both parties know, and
// what the server alone does. Their outside is that of all packages.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/party.h"
#include "he_only/plan/program.h"
#include "he_only/run/client.h"
#include "package/minisign.h"
#include "package/package.h"

namespace ap::he_only {

/// What a client has to know: the public part. Everything about keys, and nothing about weights and ranges but those of the
/// image and the scores.
struct Public {
  std::string network;  ///< its name
  nn::InputForm form;   ///< of an image as the network's file declares it
  Program program;      ///< without its steps
  Ring ring;            ///< the set of bootstrapping alone
  Ends ends;
  std::size_t steps = 0;         ///< of the computation, for progress
  std::uint64_t inferences = 0;  ///< that the weights stay private for; 0: none
  double bits_per_weight = 0;    ///< that all of them together tell, at most, by the noise model
  double score_error = 0;        ///< standard deviation of a score's error
  double predicted_s = 0;        ///< of an image on one core; 0: not predicted
  std::string normalization, framing;
  std::vector<std::string> labels;

  std::size_t classes() const { return static_cast<std::size_t>(ends.output.shape.size()); }
};

/// The least security of all keys that it asks for, in bits. @throws Error(security) below 128
double require_secure(const Public& shared);

struct Package {
  Party role = Party::client;
  Public shared;
  package::PackageId id{};
  // Of the server's: the network, and what follows from it and its choices. They point into each other, so they stay where they
  // are.
  struct Private {
    nn::Graph graph;
    Choices choices;
    std::unique_ptr<const Structure> structure;
    ShapedNetwork shaped;
    Program program;
  };
  std::shared_ptr<const Private> secret;  ///< null for a client
};

/// The two packages of a freshly compiled network.
package::Pair make_packages(const Public& shared, const nn::Graph& graph, const Choices& choices);

/// Reads and checks everything. Of a server's package the program is computed again, and must be what the public part says.
/// @throws Error(input) that says what is wrong with the file
Package parse(ByteView file, const std::string& name);
Package load(const std::filesystem::path& path, const package::PublicKey* publisher = nullptr);
/// The same, and fails unless the package is for this role.
Package load(const std::filesystem::path& path, Party role, const package::PublicKey* publisher = nullptr);

}  // namespace ap::he_only
