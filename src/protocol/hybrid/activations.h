// The ways to run an activation, behind one interface each for client and server, so that the state
// machines of the parties do not know which is which.
//
//   gc      garbled circuits (layers/activation/gc/activation_garbler.h): about a kilobyte an element, online
//           one round trip
//   ot      silent oblivious transfer (layers/activation/ot/ot_activation.h): tens of bytes an element, online
//           several round trips, tens of them for an argmax
//   one-trip  (layers/activation/one_trip/one_trip_activation.h): twice the bytes of `ot`, one round trip for a ReLU
//   beaver  quadratic nodes: a square of shares comes first (layers/activation/ot/square_step.h), then as `ot`
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/secret_bytes.h"
#include "layers/activation/activation_spec.h"
#include "layers/activation/protocol.h"
#include "net/channel/channel.h"
#include "protocol/hybrid/model.h"
#include "protocol/hybrid/share.h"
#include "random/session_key.h"

namespace ap::protocol {

/// A layer and the protocol by which it runs in this inference.
struct ChosenLayer {
  const ActivationLayer& layer;
  ActivationProtocol protocol;
};

/// One layer's preprocessing at the client.
class ClientTask {
 public:
  virtual ~ClientTask() = default;
  /// The online phase. Call once.
  virtual void run() = 0;
  /// All that run() needs. @throws Error(security) after run().
  virtual void save(SecretWriter& out) const = 0;
};

/// One session's state of one protocol at the client. Layers are prepared in the same order by both parties.
class ActivationClient {
 public:
  virtual ~ActivationClient() = default;
  /// Announces all layers of an inference, before the first prepare.
  virtual void expect(std::span<const ChosenLayer> layers) = 0;
  /// What comes before anything that the client sends; of all layers, in order, before the first prepare.
  virtual void begin(const ChosenLayer& chosen) = 0;
  /// Finishes the oldest begun layer. `b`: the client's share of the input; `masks`: its share of the output.
  virtual std::unique_ptr<ClientTask> prepare(const ActivationLayer& layer, ShareView b, ShareView masks) = 0;
  /// After the last layer of an inference: the consistency checks of all transfers since the last call, in
  /// both directions. No layer may run, or be stored, before. @throws mpc::FailedCheck
  virtual void finish() = 0;
};

class ServerTask {
 public:
  virtual ~ServerTask() = default;
  /// The online phase. Call once. `a`: the server's share of the input; returns its share of the output.
  virtual std::vector<std::uint64_t> run(ShareView a) = 0;
  /// All that run() needs. @throws Error(security) after run().
  virtual void save(SecretWriter& out) const = 0;
};

class ActivationServer {
 public:
  virtual ~ActivationServer() = default;
  virtual void expect(std::span<const ChosenLayer> layers) = 0;
  /// As at the client.
  virtual void begin(const ChosenLayer& chosen) = 0;
  /// What can be sent for a layer before the one ahead of it is finished; called once a layer, in order.
  virtual void announce(const ActivationLayer& layer) = 0;
  /// Finishes the oldest announced layer.
  virtual std::unique_ptr<ServerTask> prepare(const ActivationLayer& layer) = 0;
  /// As ActivationClient::finish.
  virtual void finish() = 0;
};

/// Both run the protocol's base OTs with the other party's. The channel must outlive them.
std::unique_ptr<ActivationClient> make_activation_client(ActivationProtocol protocol, net::Channel& channel,
                                                         const SessionKey& session);
std::unique_ptr<ActivationServer> make_activation_server(ActivationProtocol protocol, net::Channel& channel,
                                                         const SessionKey& session);

/// What ClientTask::save and ServerTask::save wrote for this layer, to be run in any session; no base
/// transfers are needed. The protocol must fit the layer; the channel must outlive the task. @throws the
/// reader's error if bytes are missing, Error(input) if a word is out of range.
std::unique_ptr<ClientTask> restore_client_task(ActivationProtocol protocol, net::Channel& channel,
                                                const ActivationLayer& layer, ByteReader& in);
std::unique_ptr<ServerTask> restore_server_task(ActivationProtocol protocol, net::Channel& channel,
                                                const ActivationLayer& layer, ByteReader& in);

/// Bytes of the server's preprocessing of a layer, for whichever of its protocols takes more.
std::uint64_t preprocessing_bytes(const ActivationLayer& layer);

}  // namespace ap::protocol
