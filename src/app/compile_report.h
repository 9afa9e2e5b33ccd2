// What compile says of each layer, for people and programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/audit.h"
#include "package/package.h"

namespace ap::app {

/// How a linear layer is computed on ciphertexts.
struct LinearReport {
  std::string packing;
  std::uint32_t n = 0;                ///< ring degree
  double log2_q = 0;                  ///< of ciphertexts: without the special primes of rotation keys
  std::vector<std::uint64_t> primes;  ///< of q
  int log2_p = 0;                     ///< of the plaintext modulus
  double error_std = 0;  ///< of what truncation and noise make wrong, in units of the next layer's input
  double ciphertext_error_rate = 0;  ///< probability that one reply ciphertext holds a wrong coefficient
  double lambda_bits = 0;            ///< security of the ring
};

/// A linear layer or an activation.
struct LayerReport {
  std::string name, op;
  std::optional<LinearReport> linear;
  std::string activation;  ///< protocol; empty of linear layers
  double predicted_s = 0;  ///< seconds per image
  std::uint64_t predicted_bytes = 0;
};

/// In the order of the network. `audit` is the package's.
std::vector<LayerReport> layer_reports(const package::Package& package, const Audit& audit);

}  // namespace ap::app
