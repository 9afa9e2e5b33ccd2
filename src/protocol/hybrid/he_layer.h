// The messages of a linear layer, behind one interface for both packings and their kinds of keys, so that the state
// machines of the parties do not know which one runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "he/rlwe/polynomial.h"
#include "layers/linear/packed_layer.h"
#include "plan/plan.h"
#include "protocol/hybrid/he_keys.h"
#include "protocol/hybrid/share.h"

namespace ap::protocol {

/// The server's weights, for all inferences.
class PreparedHeLayer {
 public:
  virtual ~PreparedHeLayer() = default;
  virtual std::size_t memory_bytes() const = 0;
  /// The replies to one part of the uploads (PackedLayer::parts), and the server's shares that they hold among those of
  /// W r modulo the layer's modulus. `seed` is fresh and secret, one for all parts of a layer.
  /// @throws Error(peer) if the uploads are not valid.
  virtual Bytes apply(std::size_t part, const ServerKeys& keys, ByteView uploads, const Seed& seed,
                      std::span<std::uint64_t> shares, rlwe::ErrorSource errors) const = 0;
};

/// What both parties know, and what the client does.
class HeLayer {
 public:
  virtual ~HeLayer() = default;
  /// Its shape, the sizes of its messages and all else that does not depend on keys.
  virtual const linear::PackedLayer& packed() const = 0;
  /// One part of the encryption of r, the client's share of the layer's input, reduced modulo the layer's modulus.
  /// `seed` is fresh and secret, one for all parts of a layer.
  virtual Bytes encrypt(std::size_t part, const ClientKeys& keys, ShareView r, const Seed& seed,
                        rlwe::ErrorSource errors) const = 0;
  /// Those of the client's shares of W r that one part of the replies holds, among all of the layer.
  /// @throws Error(peer) if the replies are not valid.
  virtual void decrypt(std::size_t part, const ClientKeys& keys, ByteView replies,
                       std::span<std::uint64_t> shares) const = 0;
  /// Bytes that prepare() will take.
  virtual std::size_t prepared_bytes() const = 0;
  /// The most that the server takes while it evaluates a part, beside the messages.
  virtual std::size_t working_bytes() const = 0;
  /// @throws Error(input) if the number of weights is not the layer's.
  virtual std::unique_ptr<PreparedHeLayer> prepare(std::span<const std::int16_t> weights) const = 0;
};

/// Contexts of all groups, and one layer for each choice of the plan, in its order; every batch group has the
/// Galois elements of its layers. The plan must be valid for the network.
struct HeLayers {
  HeGroups groups;
  std::vector<std::shared_ptr<const HeLayer>> layers;
};
HeLayers make_he_layers(const nn::QuantisedNetwork& network, const plan::Plan& plan);

}  // namespace ap::protocol
