// The client's ends of a computation: an image into ciphertexts, an answer into scores.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/memory.h"
#include "he/ckks/encoder.h"
#include "he_only/plan/program.h"
#include "he_only/run/evaluator.h"

namespace ap::he_only {

/// What a client has to know of a program besides its keys.
struct Ends {
  Layout input, output;
  ckks::Scale input_scale, output_scale;
  View input_view, output_view;
};
Ends ends_of(const ShapedNetwork& shaped, const Program& program);

/// Encodes, encrypts, decrypts. Immutable.
class ClientCoder {
 public:
  /// Contexts must outlive it.
  ClientCoder(const Contexts& contexts, std::size_t input_context, Ends ends);

  /// One ciphertext after another, each ckks::encrypt_seeded: request_bytes() together. Values beyond the range that the network
  /// was calibrated for are cut to it. @throws Error(input) if the image has a wrong number of values
  Bytes encrypt(std::span<const float> image, const ClientKeys& keys, Prng& prng) const;
  std::size_t request_bytes() const;
  std::size_t answer_bytes() const;
  /// Of exactly answer_bytes(). @throws Error(peer) if they are no ciphertexts
  SecretVector<double> decrypt(ByteView answer, const ClientKeys& keys) const;

 private:
  const Contexts& contexts_;
  Ends ends_;
  ckks::Encoder input_, answer_;
};

std::size_t request_bytes(const Contexts& contexts, std::size_t input_context, const Ends& ends);
/// The server's side of both. @throws Error(peer) unless `request` is exactly a valid one.
Registers load_request(const Contexts& contexts, std::size_t input_context, const Ends& ends,
                       ByteView request);
Bytes serialise_answer(const Registers& answer);

}  // namespace ap::he_only
