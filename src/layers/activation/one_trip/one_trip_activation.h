// The `one-trip` protocol: a ReLU, clip, max-pool or argmax (layers/activation/activation_spec.h) in two one-way
// messages a step, exact on every input; about 25 bytes an element online and 15 to 30 offline. A ReLU or a clip is one
// step (layers/activation/one_trip/one_trip_step.h), a max-pool a step that clamps and one for each level of its
// tournament, an argmax a step for the carries of all sums and its levels (as in layers/activation/ot/ot_activation.h).
//
// Between steps the server holds a value minus a mask that the client has drawn offline, uniform and new for each
// value, so the client knows its word and its addend of every step before the image. The mask of a result is r; of
// an argmax, in whose values the number stands below, the mask's lowest bits are. Where windows share a value, the
// server gets the difference of their masks offline; it knows the windows.
//
// A session has the transfers of the `ot` protocol: both draw from OtActivationClient and OtActivationServer.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/secret_bytes.h"
#include "layers/activation/one_trip/one_trip_step.h"
#include "layers/activation/ot/ot_activation.h"

namespace ap::activation {

/// One layer's material. Used once.
template <typename Step>
class OneTripPreprocessing {
 public:
  OneTripPreprocessing() = default;
  OneTripPreprocessing(OneTripPreprocessing&& other) noexcept { *this = std::move(other); }
  OneTripPreprocessing& operator=(OneTripPreprocessing&& other) noexcept {
    plan_ = std::exchange(other.plan_, nullptr);
    steps_ = std::exchange(other.steps_, {});
    repeated_ = std::exchange(other.repeated_, {});
    return *this;
  }
  bool empty() const { return plan_ == nullptr; }

  /// Writes it to a file of this party's own. @throws Error(security) if it was used.
  void save(SecretWriter& out) const;
  /// @param plan  that of the layer it was made for. @throws the reader's error if bytes are missing.
  static OneTripPreprocessing restore(std::shared_ptr<const OneTripPlan> plan, ByteReader& in);

 private:
  friend class OneTripClient;
  friend class OneTripServer;
  std::shared_ptr<const OneTripPlan> plan_;
  std::vector<Step> steps_;
  SecretVector<std::uint64_t> repeated_;  ///< of the server: what repeated results lack
};
using OneTripClientPreprocessing = OneTripPreprocessing<OneTripClientStep>;
using OneTripServerPreprocessing = OneTripPreprocessing<OneTripServerStep>;

class OneTripClient {
 public:
  /// Offline, in two halves as OtActivationClient::begin and complete. `b`: spec.inputs words of spec.share_bits()
  /// bits; `masks`: spec.outputs words of spec.out_bits bits, r, uniform and never used before.
  /// @throws Error(input) on bad sizes.
  static OneTripClientPreprocessing begin(OtActivationClient& session,
                                          std::shared_ptr<const OneTripPlan> plan);
  static void complete(OtActivationClient& session, OneTripClientPreprocessing& material,
                       std::span<const std::uint64_t> b, std::span<const std::uint64_t> masks);
  /// Online, in any session. Consumes the material. @throws Error(security) if it was used before.
  static void run(net::Channel& channel, OneTripClientPreprocessing&& material);
};

class OneTripServer {
 public:
  static OneTripServerPreprocessing begin(OtActivationServer& session,
                                          std::shared_ptr<const OneTripPlan> plan);
  /// @throws Error(peer) on a malformed message.
  static void complete(OtActivationServer& session, OneTripServerPreprocessing& material);
  /// @param a  spec.inputs words of spec.share_bits() bits
  /// @return spec.outputs words (v - r) mod 2^out_bits.
  static std::vector<std::uint64_t> run(net::Channel& channel, OneTripServerPreprocessing&& material,
                                        std::span<const std::uint64_t> a);
};

}  // namespace ap::activation
