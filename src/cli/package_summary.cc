#include "cli/package_summary.h"

#include <fmt/ranges.h>

#include <cstring>

#include "base/files.h"
#include "base/printable.h"
#include "cli/table.h"

namespace ap::cli {
namespace {

constexpr char kMagic[] = {'A', 'P', 'M', '\r', '\n'};

std::vector<int> input_dims(const nn::QuantisedNetwork& network) {
  if (!network.input_form.dims.empty()) return network.input_form.dims;
  const nn::Shape& shape = network.input_shape();
  return {shape.c, shape.h, shape.w};
}

Json json_of(const package::Package& package, const app::Memory& memory) {
  return {{"package_id", package::to_hex(package.id)},
          {"role", package.role == Party::server ? "server" : "client"},
          {"name", package.network.name},
          {"input", input_dims(package.network)},
          {"channels_last", package.network.input_form.channels_last},
          {"outputs", package.network.output_shape().size()},
          {"policy", package.plan.policy},
          {"reveal", package.plan.reveal == plan::Reveal::label ? "label" : "logits"},
          {"normalization", package.normalization},
          {"framing", package.framing},
          {"labels", package.labels},
          {"privacy_inferences", package.plan.privacy.inferences},
          {"memory", memory_of_parties_json(memory)}};
}

std::string text_of(const package::Package& package, const app::Memory& memory) {
  const auto or_none = [](const std::string& text) {
    return text.empty() ? std::string("none") : printable(text);
  };
  return fmt::format(
      "package        {}\nfor the        {}\nnetwork        {}\ninput          {}{}\noutputs        {}\nclasses        {}\n"
      "normalization  {}\npictures       {}\npolicy         {}, reveals the {}\nmemory         {}",
      package::to_hex(package.id),
      package.role == Party::server ? "server, with the weights" : "client, without the weights",
      printable(package.network.name), fmt::join(input_dims(package.network), "x"),
      package.network.input_form.channels_last ? " (channels last)" : "",
      package.network.output_shape().size(), or_none(fmt::format("{}", fmt::join(package.labels, ", "))),
      or_none(package.normalization), or_none(package.framing), printable(package.plan.policy),
      package.plan.reveal == plan::Reveal::label ? "label" : "logits", memory_of_parties_text(memory));
}

}  // namespace

bool is_package(const std::filesystem::path& path) {
  const Bytes start = read_start(path, sizeof kMagic);
  return start.size() == sizeof kMagic && std::memcmp(start.data(), kMagic, sizeof kMagic) == 0;
}

void inspect_package(const std::filesystem::path& path, bool json) {
  const package::Package package = package::load(path);
  const app::Memory memory = app::memory_of(package);
  if (json) {
    print(json_of(package, memory));
  } else {
    print(text_of(package, memory));
  }
}

Json memory_of_parties_json(const app::Memory& memory) {
  return {{"server_bytes", memory.server},
          {"session_bytes", memory.session},
          {"client_bytes", memory.client},
          {"weights_bytes", memory.needs.weights},
          {"model_bytes", memory.needs.model},
          {"keys_bytes", memory.needs.keys},
          {"transfers_bytes", memory.needs.transfers},
          {"layer_bytes", memory.needs.layer},
          {"client_layer_bytes", memory.needs.client_layer},
          {"tensors_bytes", memory.needs.tensors},
          {"client_tensors_bytes", memory.needs.client_tensors},
          {"server_inference_bytes", memory.needs.server_inference},
          {"client_inference_bytes", memory.needs.client_inference}};
}

std::string memory_of_parties_text(const app::Memory& memory) {
  const auto bytes = [](std::uint64_t count) { return format_bytes(static_cast<double>(count)); };
  return fmt::format(
      "server {} and {} a session, client {} (estimates; weights {}, keys {}, an inference {} and {})\n",
      bytes(memory.server), bytes(memory.session), bytes(memory.client), bytes(memory.needs.weights),
      bytes(memory.needs.keys), bytes(memory.needs.server_inference), bytes(memory.needs.client_inference));
}

}  // namespace ap::cli
