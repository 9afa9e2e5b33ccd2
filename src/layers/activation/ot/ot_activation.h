// The `ot` protocol: an activation layer (layers/activation/activation_spec.h) by oblivious transfer, exact
// on every input. A few one-way messages and about twenty bytes an element, where garbling takes one and a
// thousand.
//
// Offline both parties make random correlations: silent OTs in both directions, with the client as sender of
// most of them, hashed at once into what the online phase uses and nothing else. Counts follow from the
// spec, so neither b nor r need be known. Online, for every input:
//   1. a carry tree over the two parties' words (layers/activation/ot/ot_program.h) gives XOR shares of
//      in_range, above, wrapped and carried;
//   2. products of bits and words (layers/activation/ot/ot_step.h) give the clamped value
//        [in_range] (low(a) + low(b)) - 2^m [wrapped] + [carried] + (2^m - 1) [above]   in Z_2^k.
//      No extension of shares: low(a) and low(b) are integers that their owners know, and `wrapped` is what
//      their sum lacks.
// With pooling clamping goes first (it commutes with the maximum), so that the tournament compares m bits;
// equal pairs of overlapping windows are compared once, and a level of the tournament runs at once for the
// whole layer. Last the client sends its share minus r, which turns the server's share into (v - r) mod 2^k.
//
// A quadratic before it (layers/activation/ot/square_step.h) gives the words; it needs b offline. Its only
// message travels with the next one; if the guard bits of its argument are to be exact, a step adds what
// their carry changes.
//
// A table behind it (layers/activation/table_spec.h) reads the clamped value in Z_2^m. With a positive part, the
// same step as above without a clamp gives relu(t), t the value as a signed number, and |t| = 2 relu(t) - t
// without a message. Where cells hold several inputs, what their low bits carry is added to the high bits of both
// shares, as a product of the carry with 1. A lookup (layers/activation/ot/lookup_step.h) does the rest.
//
// Products of two private tensors (layers/activation/ot/product_step.h) give the words in the same way.
//
// All that is revealed is uniform: each message is masked by a correlation used once, and the last one by r.
// That holds against a peer that deviates too, once finish() has checked the correlations
// (docs/deviating-parties.md).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/secret_bytes.h"
#include "layers/activation/activation_spec.h"
#include "layers/activation/ot/lookup_step.h"
#include "layers/activation/ot/ot_step.h"
#include "layers/activation/ot/square_step.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {

/// One layer's correlations. Used once.
template <typename StepPreprocessing, typename SquarePreprocessing, typename LookupPreprocessing>
class OtPreprocessing {
 public:
  OtPreprocessing() = default;
  OtPreprocessing(OtPreprocessing&& other) noexcept { *this = std::move(other); }
  OtPreprocessing& operator=(OtPreprocessing&& other) noexcept {
    plan_ = std::exchange(other.plan_, nullptr);
    steps_ = std::exchange(other.steps_, {});
    square_ = std::exchange(other.square_, {});
    lookup_ = std::exchange(other.lookup_, {});
    return *this;
  }
  bool empty() const { return plan_ == nullptr; }

  /// Writes it to a file of this party's own. @throws Error(security) if it was used.
  void save(SecretWriter& out) const;
  /// @param plan  that of the layer it was made for. @throws the reader's error if bytes are missing.
  static OtPreprocessing restore(std::shared_ptr<const OtPlan> plan, ByteReader& in);
  static OtPreprocessing restore(const ActivationSpec& spec, ByteReader& in) {
    return restore(std::make_shared<const OtPlan>(plan_ot_layer(spec)), in);
  }

 private:
  friend class OtActivationClient;
  friend class OtActivationServer;
  std::shared_ptr<const OtPlan> plan_;
  std::vector<StepPreprocessing> steps_;
  SquarePreprocessing square_;
  LookupPreprocessing lookup_;
};
using OtClientPreprocessing =
    OtPreprocessing<ClientStepPreprocessing, SquareClientPreprocessing, ClientLookupPreprocessing>;
using OtServerPreprocessing =
    OtPreprocessing<ServerStepPreprocessing, SquareServerPreprocessing, ServerLookupPreprocessing>;

/// One object for each session. Layers must be prepared, and run, in the same order by both parties.
class OtActivationClient {
 public:
  /// Runs the base OTs with the server's OtActivationServer. The channel must outlive this object.
  /// @param session  that of the connection, equal at both parties
  explicit OtActivationClient(net::Channel& channel, const SessionKey& session, Prng prng = Prng());

  /// Announces a layer (or the sum of several) that will be prepared, so that the transfers are made in the
  /// cheapest way. Optional, but both parties must do the same before the same layer.
  void expect(const OtCost& cost);
  void expect(std::span<const ActivationSpec> specs) { expect(ot_cost(specs)); }

  /// Offline. `b`: if spec.needs_words_offline() the client's share, spec.arguments() words of
  /// spec.argument_bits() bits; else empty. @throws Error(input) on a bad spec or b, Error(peer) on a bad message.
  OtClientPreprocessing prepare(const ActivationSpec& spec, std::span<const std::uint64_t> b = {});
  /// The two halves of prepare, from a plan (plan_ot_layer) that serves many inferences, since planning a large
  /// pooling layer takes time: first what comes from the server's transfers, then the rest. Of several layers all
  /// first halves go before all second ones, at both parties, so that neither's transfers wait for the other's.
  OtClientPreprocessing begin(std::shared_ptr<const OtPlan> plan);
  void complete(OtClientPreprocessing& material, std::span<const std::uint64_t> b = {});

  /// The consistency checks of all transfers since the last call, in both directions: after the last prepare
  /// of an inference, before anything of it runs or is stored. One message each way, twice.
  /// @throws mpc::FailedCheck if the server's trees are inconsistent.
  void finish();

  /// Online. Consumes the material.
  /// @param b      spec.inputs words of spec.share_bits() bits: the client's share; empty if it was needed
  ///               offline
  /// @param masks  spec.outputs words of spec.out_bits bits: r, uniform and never used before
  /// @throws Error(input) on bad sizes, Error(security) if the material was used before.
  void run(OtClientPreprocessing&& material, std::span<const std::uint64_t> b,
           std::span<const std::uint64_t> masks) {
    run(channel_, std::move(material), b, masks);
  }
  /// Runs a layer in another session than the one that prepared it; no base OTs are needed.
  static void run(net::Channel& channel, OtClientPreprocessing&& material, std::span<const std::uint64_t> b,
                  std::span<const std::uint64_t> masks);

  /// What other layers of the session draw from.
  net::Channel& channel() { return channel_; }
  Prng& prng() { return prng_; }
  mpc::RandomOtSender& sent() { return sent_; }
  mpc::RandomOtReceiver& received() { return received_; }

 private:
  net::Channel& channel_;
  Prng prng_;
  mpc::SilentCotSender sent_cots_;
  mpc::SilentCotReceiver received_cots_;
  mpc::RandomOtSender sent_;
  mpc::RandomOtReceiver received_;
};

class OtActivationServer {
 public:
  explicit OtActivationServer(net::Channel& channel, const SessionKey& session, Prng prng = Prng());
  void expect(const OtCost& cost);
  void expect(std::span<const ActivationSpec> specs) { expect(ot_cost(specs)); }
  OtServerPreprocessing prepare(const ActivationSpec& spec);
  /// As at the client.
  OtServerPreprocessing begin(std::shared_ptr<const OtPlan> plan);
  void complete(OtServerPreprocessing& material);
  /// As OtActivationClient::finish.
  void finish();

  /// Online. Consumes the material.
  /// @param a  spec.arguments() words of spec.argument_bits() bits
  /// @return spec.outputs words (v - r) mod 2^out_bits.
  std::vector<std::uint64_t> run(OtServerPreprocessing&& material, std::span<const std::uint64_t> a) {
    return run(channel_, std::move(material), a);
  }
  static std::vector<std::uint64_t> run(net::Channel& channel, OtServerPreprocessing&& material,
                                        std::span<const std::uint64_t> a);

  net::Channel& channel() { return channel_; }
  mpc::RandomOtReceiver& received() { return received_; }
  mpc::RandomOtSender& sent() { return sent_; }

 private:
  net::Channel& channel_;
  Prng prng_;
  mpc::SilentCotReceiver received_cots_;
  mpc::SilentCotSender sent_cots_;
  mpc::RandomOtReceiver received_;
  mpc::RandomOtSender sent_;
};

}  // namespace ap::activation
