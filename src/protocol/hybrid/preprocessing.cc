#include "protocol/hybrid/preprocessing.h"

#include "base/error.h"

namespace ap::protocol {
namespace {

constexpr const char* kWhat = "a stored inference";

template <typename Material>
void write_protocols(const Material& material, SecretWriter& out) {
  for (const ActivationProtocol protocol : material.protocols) out.u8(static_cast<std::uint8_t>(protocol));
}

std::vector<ActivationProtocol> read_protocols(const Model& model, ByteReader& in) {
  std::vector<ActivationProtocol> protocols;
  for (const ActivationLayer& layer : model.activations()) {
    const std::uint8_t name = in.u8();
    if (name > static_cast<std::uint8_t>(kLastProtocol) ||
        !protocol_fits(static_cast<ActivationProtocol>(name), layer)) {
      fail_input("{} names protocol {} for layer {}, which that cannot run; it cannot be used", kWhat, name,
                 model.name(layer.node));
    }
    protocols.push_back(static_cast<ActivationProtocol>(name));
  }
  return protocols;
}

Share read_share(const Model& model, int node, ByteReader& in) {
  Share share = read_array<Share>(in, model.size(node));
  std::uint64_t above = 0;
  for (const std::uint64_t v : share) above |= ((model.modulus(node).value() - 1 - v) | v) >> 63;
  if (above != 0) {
    fail_input("{} has a share of {} that is not below the modulus {}; it cannot be used", kWhat,
               model.name(node), model.modulus(node).value());
  }
  return share;
}

}  // namespace

bool protocol_fits(ActivationProtocol protocol, const ActivationLayer& layer) {
  const activation::ActivationSpec& spec = layer.spec;
  if (layer.protocol != "auto" && layer.protocol != name_of(protocol)) return false;
  if ((protocol == ActivationProtocol::beaver) != spec.square.has_value()) return false;
  if (protocol == ActivationProtocol::gc && (spec.table || spec.product)) return false;
  if (protocol == ActivationProtocol::one_trip) return layer.one_trip_plan != nullptr;
  return protocol == ActivationProtocol::gc || (spec.in_prime == 0 && spec.out_prime == 0);
}

SecretBytes serialise(const ClientPreprocessing& material) {
  SecretWriter out;
  write_protocols(material, out);
  out.array(material.input_mask);
  out.array(material.result);
  for (const auto& task : material.activations) task->save(out);
  return out.take();
}

SecretBytes serialise(const ServerPreprocessing& material) {
  SecretWriter out;
  write_protocols(material, out);
  for (const Share& share : material.linear_shares) out.array(share);
  for (const auto& task : material.activations) task->save(out);
  return out.take();
}

ClientPreprocessing parse_client_preprocessing(const Model& model, net::Channel& channel, ByteView bytes) {
  ByteReader in(bytes, kWhat);
  ClientPreprocessing material;
  material.protocols = read_protocols(model, in);
  material.input_mask = read_share(model, 0, in);
  material.result = read_share(model, static_cast<int>(model.tensors()) - 1, in);
  for (std::size_t i = 0; i < material.protocols.size(); ++i) {
    material.activations.push_back(
        restore_client_task(material.protocols[i], channel, model.activations()[i], in));
  }
  in.expect_end();
  return material;
}

ServerPreprocessing parse_server_preprocessing(const Model& model, net::Channel& channel, ByteView bytes) {
  ByteReader in(bytes, kWhat);
  ServerPreprocessing material;
  material.protocols = read_protocols(model, in);
  for (const LinearLayer& layer : model.linears())
    material.linear_shares.push_back(read_share(model, layer.node, in));
  for (std::size_t i = 0; i < material.protocols.size(); ++i) {
    material.activations.push_back(
        restore_server_task(material.protocols[i], channel, model.activations()[i], in));
  }
  in.expect_end();
  return material;
}

}  // namespace ap::protocol
