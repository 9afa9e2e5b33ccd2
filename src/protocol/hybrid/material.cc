#include "protocol/hybrid/material.h"

#include "base/error.h"

namespace ap::protocol {
namespace {

constexpr const char* kWhat = "a stored inference";

template <typename Material>
void write_engines(const Material& material, SecretWriter& out) {
  for (const Engine engine : material.engines) out.u8(static_cast<std::uint8_t>(engine));
}

std::vector<Engine> read_engines(const Model& model, ByteReader& in) {
  std::vector<Engine> engines;
  for (const ActivationLayer& layer : model.activations()) {
    const std::uint8_t name = in.u8();
    if (name > static_cast<std::uint8_t>(Engine::beaver) || !engine_fits(static_cast<Engine>(name), layer)) {
      fail_input("{} names engine {} for layer {}, which that cannot run; it cannot be used", kWhat, name,
                 model.name(layer.node));
    }
    engines.push_back(static_cast<Engine>(name));
  }
  return engines;
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

bool engine_fits(Engine engine, const ActivationLayer& layer) {
  const activation::ActivationSpec& spec = layer.spec;
  if (layer.engine != "auto" && layer.engine != engine_name(engine)) return false;
  if ((engine == Engine::beaver) != spec.square.has_value()) return false;
  return engine == Engine::gc || (spec.in_prime == 0 && spec.out_prime == 0);
}

SecretBytes serialise(const ClientMaterial& material) {
  SecretWriter out;
  write_engines(material, out);
  out.array(material.input_mask);
  out.array(material.result);
  for (const auto& task : material.activations) task->save(out);
  return out.take();
}

SecretBytes serialise(const ServerMaterial& material) {
  SecretWriter out;
  write_engines(material, out);
  for (const Share& share : material.linear_shares) out.array(share);
  for (const auto& task : material.activations) task->save(out);
  return out.take();
}

ClientMaterial parse_client_material(const Model& model, net::Channel& channel, ByteView bytes) {
  ByteReader in(bytes, kWhat);
  ClientMaterial material;
  material.engines = read_engines(model, in);
  material.input_mask = read_share(model, 0, in);
  material.result = read_share(model, static_cast<int>(model.tensors()) - 1, in);
  for (std::size_t i = 0; i < material.engines.size(); ++i) {
    material.activations.push_back(
        restore_client_task(material.engines[i], channel, model.activations()[i], in));
  }
  in.expect_end();
  return material;
}

ServerMaterial parse_server_material(const Model& model, net::Channel& channel, ByteView bytes) {
  ByteReader in(bytes, kWhat);
  ServerMaterial material;
  material.engines = read_engines(model, in);
  for (const LinearLayer& layer : model.linears())
    material.linear_shares.push_back(read_share(model, layer.node, in));
  for (std::size_t i = 0; i < material.engines.size(); ++i) {
    material.activations.push_back(
        restore_server_task(material.engines[i], channel, model.activations()[i], in));
  }
  in.expect_end();
  return material;
}

}  // namespace ap::protocol
