// How secure a package is, and under which assumptions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "autoprivacy/error.h"

namespace autoprivacy {

/// How attacks on lattices are counted: "matzov" and "bdgl16" are published models of their cost.
struct AuditOptions {
  std::string cost_model = "matzov";
  /// The package must be signed with this key of minisign, in a file beside it (PACKAGE.minisig): a .pub
  /// file, or the key itself, "RW" and 54 more characters. Empty: no signature is asked for.
  std::string publisher;
};

/// The security of one linear layer, in bits.
struct LayerSecurity {
  std::string name;               ///< as in the model
  std::uint32_t ring_degree = 0;  ///< N
  double log2_q = 0;              ///< bits of all that is published under the layer's key
  double lambda_usvp = 0;         ///< against the primal attack by unique shortest vectors
  double lambda_bdd = 0;          ///< against the primal attack by bounded-distance decoding
  double lambda_dual = 0;         ///< against the dual attack
  double lambda_bits = 0;         ///< the lowest of the three
};

/// How the weights are kept from clients, and what these learn of them all the same.
struct CircuitPrivacy {
  std::string method;            ///< for people
  std::uint64_t inferences = 0;  ///< T, of all clients together; 0: nothing is promised
  /// At most so many bits of relative entropy lie between what T inferences show and ideal results, for each
  /// weight; infinite if T is 0.
  double bound_bits_per_weight = 0;
  double snr = 0;         ///< largest signal-to-noise ratio of a weight; infinite if T is 0
  bool computed = false;  ///< from the weights, rather than what every package claims
};

/// The security report of a package, computed anew from its parameters, whatever the package says of itself.
struct Audit {
  std::string package_id;      ///< 64 hexadecimal digits
  std::string policy;          ///< by which it was compiled
  bool reveals_label = false;  ///< whether clients learn the best class alone, not the score of every class
  std::vector<LayerSecurity> layers;  ///< the linear ones, in the order of the network
  double min_lambda_bits = 0;         ///< lowest security of a layer; at least 128
  std::string cost_model;             ///< by which bits are counted
  CircuitPrivacy circuit_privacy;
  int flood_bits = 0;  ///< of flooding, the most that a layer has; 0 without flooding
  bool label_bound =
      false;            ///< whether clients that deviate in any way learn at most the label of each query
  double lpn_bits = 0;  ///< security of oblivious transfers
  double garbling_bits = 0;      ///< security of garbling, over all sessions of a server
  double failure_log2 = 0;       ///< log2 of the probability that one inference goes wrong, at most
  bool failure_checked = false;  ///< whether that was held against the weights, or is what the package claims
  double target_failure_log2 = 0;        ///< what was asked for
  std::vector<std::string> assumptions;  ///< sentences: what all of this rests on
};

/// Audits a package, the server's or the client's.
/// @throws Error(input) if it cannot be read or is damaged; Error(security) if a layer has less than 128
/// bits, or the package is not signed as asked for.
Audit audit(const std::filesystem::path& package, const AuditOptions& options = {});

/// The same of a package in memory. @throws Error(input) also if a publisher is given: a signature is a file.
Audit audit(std::span<const std::uint8_t> package, const AuditOptions& options = {});

}  // namespace autoprivacy
