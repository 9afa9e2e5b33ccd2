// One inference's preprocessing: made by prepare, destroyed by infer, or between the two kept in a store
// (protocol/store/preprocessing_store.h). Its bytes follow from the package and the protocols alone
// (docs/store-format.md).
#pragma once

#include <memory>
#include <vector>

#include "base/secret_bytes.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/model.h"

namespace ap::protocol {

struct ClientPreprocessing {
  std::vector<ActivationProtocol> protocols;  ///< by activation
  Share input_mask;                           ///< r of the image
  Share result;                               ///< the client's share of the logits or the label
  std::vector<std::unique_ptr<ClientTask>> activations;
};

struct ServerPreprocessing {
  std::vector<ActivationProtocol> protocols;
  std::vector<Share> linear_shares;  ///< s: the server's share of M r, by linear layer
  std::vector<std::unique_ptr<ServerTask>> activations;
};

SecretBytes serialise(const ClientPreprocessing& material);
SecretBytes serialise(const ServerPreprocessing& material);

/// The channel must outlive what is returned.
/// @throws Error(input) if the size is not exact, an activation protocol is none of its layer or a share is
/// out of range.
ClientPreprocessing parse_client_preprocessing(const Model& model, net::Channel& channel, ByteView bytes);
ServerPreprocessing parse_server_preprocessing(const Model& model, net::Channel& channel, ByteView bytes);

/// Whether the protocol can run this layer and its plan allows it.
bool protocol_fits(ActivationProtocol protocol, const ActivationLayer& layer);

}  // namespace ap::protocol
