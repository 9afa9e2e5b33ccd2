// The server's side of the activation protocol; the protocol is described in
// layers/activation/gc/activation_garbler.h.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/secret_bytes.h"
#include "layers/activation/activation_spec.h"
#include "mpc/core/hash.h"
#include "mpc/ot/cot.h"

namespace ap::activation {

/// The server's random choice bits of one layer and what the oblivious transfers gave it.
class PreparedChoices {
 public:
  PreparedChoices() = default;
  PreparedChoices(PreparedChoices&&) noexcept = default;
  PreparedChoices& operator=(PreparedChoices&&) noexcept = default;

 private:
  friend class ActivationEvaluator;
  friend class EvaluatorPreprocessing;
  ActivationSpec spec_;
  SecretVector<std::uint8_t> choices_;  ///< c: share_bits bits for each input, packed
  SecretVector<mpc::Block> pads_;       ///< t; after the answer, the active labels
  mpc::Block hash_key_{};               ///< of the session that made it
  std::uint64_t tweak_ = 0;
  std::uint64_t number_ = 0;  ///< of the layer in this session
};

/// All that the server keeps of one layer between the phases. Used once.
class EvaluatorPreprocessing {
 public:
  EvaluatorPreprocessing() = default;
  EvaluatorPreprocessing(EvaluatorPreprocessing&&) noexcept = default;
  EvaluatorPreprocessing& operator=(EvaluatorPreprocessing&&) noexcept = default;
  bool empty() const { return tables_.empty(); }

  /// All that the online phase needs, for a file of the server's own.
  /// @throws Error(security) if it has served a request.
  void save(SecretWriter& out) const;
  /// @param spec  that of the layer it was made for. @throws the reader's error if bytes are missing.
  static EvaluatorPreprocessing restore(const ActivationSpec& spec, ByteReader& in);

 private:
  friend class ActivationEvaluator;
  PreparedChoices prepared_;
  std::vector<Bytes> tables_;          ///< one for each message
  SecretVector<std::uint64_t> share_;  ///< a, from request to evaluation
};

/// One object for each session.
class ActivationEvaluator {
 public:
  /// Runs the base OTs with the client's ActivationGarbler. The channel must outlive this object.
  /// @param session  as the garbler's
  explicit ActivationEvaluator(net::Channel& channel, const SessionKey& session, Prng prng = Prng());

  /// Offline: sends the OT columns of a layer. May run ahead of receive_tables by any number of layers.
  PreparedChoices prepare(const ActivationSpec& spec);

  /// Offline: receives the layer's tables. Layers must come in the order in which they were prepared.
  EvaluatorPreprocessing receive_tables(PreparedChoices&& prepared);

  /// Online: sends the masked bits of the server's share `a`: spec.inputs words of spec.share_bits() bits,
  /// below spec.in_prime if there is one.
  /// @throws Error(security) if the material has been used for a request.
  void request(EvaluatorPreprocessing& material, std::span<const std::uint64_t> a) {
    request(channel_, material, a);
  }

  /// Online: receives the labels and evaluates. Consumes the material.
  /// @return spec.outputs words (v - r) mod 2^out_bits, or mod out_prime.
  /// @throws Error(security) unless exactly one request went before.
  std::vector<std::uint64_t> evaluate(EvaluatorPreprocessing&& material) {
    return evaluate(channel_, std::move(material));
  }

  /// Requests the labels of a layer in another session than the one that prepared it; no base OTs are needed.
  static void request(net::Channel& channel, EvaluatorPreprocessing& material,
                      std::span<const std::uint64_t> a);
  static std::vector<std::uint64_t> evaluate(net::Channel& channel, EvaluatorPreprocessing&& material);

 private:
  net::Channel& channel_;
  Prng prng_;
  mpc::HashKeys keys_;
  mpc::CotReceiver cots_;
  std::uint64_t tweak_ = 0;
  std::uint64_t prepared_ = 0;  ///< layers prepared
  std::uint64_t received_ = 0;  ///< layers whose tables have come
};

}  // namespace ap::activation
