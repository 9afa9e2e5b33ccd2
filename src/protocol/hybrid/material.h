// One inference's one-time material: made by prepare, destroyed by infer, or between the two kept in a store
// (protocol/store/material_store.h). Its bytes follow from the package and the engines alone
// (docs/store-format.md).
#pragma once

#include <memory>
#include <vector>

#include "base/secret_bytes.h"
#include "protocol/hybrid/engines.h"
#include "protocol/hybrid/model.h"

namespace ap::protocol {

struct ClientMaterial {
  std::vector<Engine> engines;  ///< by activation
  Share input_mask;             ///< r of the image
  Share result;                 ///< the client's share of the logits or the label
  std::vector<std::unique_ptr<ClientTask>> activations;
};

struct ServerMaterial {
  std::vector<Engine> engines;
  std::vector<Share> linear_shares;  ///< s: the server's share of M r, by linear layer
  std::vector<std::unique_ptr<ServerTask>> activations;
};

SecretBytes serialise(const ClientMaterial& material);
SecretBytes serialise(const ServerMaterial& material);

/// The channel must outlive the material.
/// @throws Error(input) if the size is not exact, an engine is none of its layer or a share is out of range.
ClientMaterial parse_client_material(const Model& model, net::Channel& channel, ByteView bytes);
ServerMaterial parse_server_material(const Model& model, net::Channel& channel, ByteView bytes);

/// Whether the engine can run this layer and its plan allows it.
bool engine_fits(Engine engine, const ActivationLayer& layer);

}  // namespace ap::protocol
