#include "protocol/hybrid/model.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"
#include "layers/activation/argmax_spec.h"
#include "plan/activation_spec.h"
#include "protocol/hybrid/local_nodes.h"

namespace ap::protocol {
namespace {

/// For every output of a max-pool the inputs in its window. Positions in the padding are replaced by the
/// window's first real element, since max(x, x) = x, so that all windows have the same size.
std::vector<std::uint32_t> pool_windows(const nn::Window& window, const nn::Shape& in, const nn::Shape& out) {
  const auto full = static_cast<std::size_t>(window.kernel_h) * static_cast<std::size_t>(window.kernel_w);
  std::vector<std::uint32_t> windows;
  windows.reserve(static_cast<std::size_t>(out.size()) * full);
  for (int c = 0; c < out.c; ++c) {
    for (int y = 0; y < out.h; ++y) {
      for (int x = 0; x < out.w; ++x) {
        std::vector<std::uint32_t> members;
        const int top = y * window.stride_h - window.pad.top, left = x * window.stride_w - window.pad.left;
        for (int v = std::max(top, 0); v < std::min(top + window.kernel_h, in.h); ++v) {
          for (int u = std::max(left, 0); u < std::min(left + window.kernel_w, in.w); ++u) {
            members.push_back(static_cast<std::uint32_t>((c * in.h + v) * in.w + u));
          }
        }
        AP_ASSERT(!members.empty());
        members.resize(full, members.front());
        windows.insert(windows.end(), members.begin(), members.end());
      }
    }
  }
  return windows;
}

}  // namespace

Model::Model(const nn::QuantisedNetwork& network, const plan::Plan& plan) : network_(network), plan_(plan) {
  const auto prime = [&](int index) {
    return plan_.primes.empty() ? 0 : plan_.primes[static_cast<std::size_t>(index)];
  };
  for (int i = 0; i < static_cast<int>(network_.nodes.size()); ++i) {
    moduli_.push_back(prime(i) != 0
                          ? ShareModulus(prime(i))
                          : ShareModulus::power_of_two(plan_.modulus_bits[static_cast<std::size_t>(i)]));
  }
  HeLayers he = make_he_layers(network_, plan_);
  groups_ = std::move(he.groups);
  for (std::size_t i = 0; i < plan_.linears.size(); ++i) {
    const int at = plan_.linears[i].node;
    linears_.push_back({at, node(at).inputs.front(), std::move(he.layers[i])});
  }
  for (const plan::ActivationChoice& choice : plan_.activations) {
    const nn::QNode& at = node(choice.node);
    ActivationLayer layer;
    layer.node = choice.node;
    layer.input = at.inputs.front();
    layer.spec = plan::spec_of(network_, choice, plan_.primes);
    if (const auto* quadratic = std::get_if<nn::QQuadratic>(&at.op)) {
      layer.truncation = choice.argument;
      layer.low = quadratic->low;
    } else {
      layer.truncation = choice.truncation;
      if (const auto* product = std::get_if<nn::QProduct>(&at.op)) {
        layer.low = product->low;
        layer.second_input = at.inputs[1];
      } else {
        layer.low = nn::clamp_of(at.op)->low;
      }
      if (layer.spec.pooled()) {
        layer.spec.windows =
            pool_windows(std::get<nn::QActivation>(at.op).pool, node(layer.input).shape, at.shape);
      }
    }
    const auto* table = std::get_if<nn::QTable>(&at.op);
    layer.result_low = table ? table->offset : layer.low;
    layer.protocol = choice.protocol;
    activations_.push_back(std::move(layer));
  }
  if (reveals_label()) add_argmax();
  for (ActivationLayer& layer : activations_) {
    if (layer.protocol == "gc" || layer.spec.in_prime != 0 || layer.spec.out_prime != 0) continue;
    if (layer.protocol != "one-trip")
      layer.ot_plan = std::make_shared<const activation::OtPlan>(activation::plan_ot_layer(layer.spec));
    if (layer.protocol == "one-trip" ||
        (layer.protocol == "auto" && activation::takes_one_trip(layer.spec))) {
      layer.one_trip_plan =
          std::make_shared<const activation::OneTripPlan>(activation::plan_one_trip_layer(layer.spec));
    }
  }
}

void Model::add_argmax() {
  ActivationLayer layer;
  layer.node = static_cast<int>(network_.nodes.size());
  layer.input = layer.node - 1;
  const bool prime = !plan_.primes.empty() && plan_.primes.back() != 0;
  const int bits = plan_.modulus_bits.back();
  layer.spec = activation::argmax_spec(size(layer.input), bits, prime ? plan_.primes.back() : 0);
  layer.truncation.sum_bits = bits;
  layer.protocol = plan_.argmax_protocol;
  moduli_.push_back(ShareModulus::power_of_two(layer.spec.out_bits));
  activations_.push_back(std::move(layer));
}

std::size_t Model::size(int index) const {
  if (index == static_cast<int>(network_.nodes.size())) return 1;
  return static_cast<std::size_t>(node(index).shape.size());
}

std::vector<int> Model::inputs(int index) const {
  if (index == static_cast<int>(network_.nodes.size())) return {index - 1};
  return node(index).inputs;
}

const std::string& Model::name(int index) const {
  static const std::string kArgmax = "argmax";
  return index == static_cast<int>(network_.nodes.size()) ? kArgmax : node(index).name;
}

namespace {

Share modular_circuit_input(const ActivationLayer& layer, ShareView share, Party party) {
  Share out(share.begin(), share.end());
  if (party == Party::client) return out;
  const ShareModulus modulus(layer.spec.in_prime);
  const plan::Truncation& t = layer.truncation;
  const std::uint64_t shift = modulus.subtract(
      modulus.from_signed(t.offset()),
      modulus.multiply(modulus.from_signed(layer.low), modulus.reduce(std::uint64_t{1} << t.shift)));
  for (std::uint64_t& v : out) v = modulus.add(v, shift);
  return out;
}

}  // namespace

Share activation_input(const ActivationLayer& layer, const std::vector<Share>& shares, Party party) {
  const Share& share = shares[static_cast<std::size_t>(layer.input)];
  if (!layer.spec.product) return circuit_input(layer, share, party);
  const std::uint64_t keep = low_mask(layer.spec.product->value_bits);
  Share words = share;
  const Share& second = shares[static_cast<std::size_t>(layer.second_input)];
  words.insert(words.end(), second.begin(), second.end());
  for (std::uint64_t& word : words) word &= keep;
  return words;
}

Share circuit_input(const ActivationLayer& layer, ShareView share, Party party) {
  if (layer.spec.in_prime != 0) return modular_circuit_input(layer, share, party);
  const plan::Truncation& t = layer.truncation;
  const std::uint64_t reduce = low_mask(t.input_bits());
  const std::uint64_t keep = low_mask(t.sum_bits + t.guard_bits);
  const std::uint64_t offset = party == Party::server ? static_cast<std::uint64_t>(t.offset()) : 0;
  // A quadratic's clamp comes later: its bound is a constant of the polynomial.
  const bool lowered = party == Party::server && !layer.spec.square;
  const std::uint64_t lower = lowered ? static_cast<std::uint64_t>(layer.low) << t.guard_bits : 0;
  Share out(share.size());
  for (std::size_t i = 0; i < share.size(); ++i) {
    out[i] = ((((share[i] + offset) & reduce) >> t.dropped_bits()) - lower) & keep;
  }
  return out;
}

Bytes pack_shares(ShareView shares, const ShareModulus& modulus) {
  Bytes packed(packed_bytes(shares.size(), modulus.bits()));
  pack_bits(shares, modulus.bits(), packed);
  return packed;
}

Share unpack_shares(ByteView bytes, std::size_t count, const ShareModulus& modulus, const char* what) {
  Share shares(count);
  unpack_bits(bytes, modulus.bits(), shares);
  std::uint64_t above = 0;
  for (const std::uint64_t v : shares) above |= (modulus.value() - 1 - v) >> 63;
  if (above != 0) fail_peer("an element of {} is not below the modulus {}", what, modulus.value());
  return shares;
}

void apply_local_nodes(const Model& model, std::vector<Share>& shares) {
  for (std::size_t i = 0; i < model.network().nodes.size(); ++i) {
    const nn::QNode& node = model.node(static_cast<int>(i));
    if (!shares[i].empty() || !is_local(node.op)) continue;
    const bool ready = std::all_of(node.inputs.begin(), node.inputs.end(), [&](int input) {
      return !shares[static_cast<std::size_t>(input)].empty();
    });
    if (ready) apply_local_node(model, static_cast<int>(i), shares);
  }
}

void apply_local_node(const Model& model, int index, std::vector<Share>& shares) {
  const nn::QNode& node = model.node(index);
  std::vector<ShareView> inputs;
  std::vector<nn::Shape> shapes;
  for (const int input : node.inputs) {
    inputs.emplace_back(shares[static_cast<std::size_t>(input)]);
    shapes.push_back(model.node(input).shape);
  }
  shares[static_cast<std::size_t>(index)] = apply_local(node, inputs, shapes, model.modulus(index));
}

}  // namespace ap::protocol
