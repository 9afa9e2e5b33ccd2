#include "layers/linear/simd/packing.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace ap::linear {
namespace {

template <typename Method>
struct Named {
  Method method;
  std::string_view name;
};

constexpr std::array<Named<SimdConvMethod>, 4> kConvMethods = {
    {{SimdConvMethod::input_rotation, "input_rotation"},
     {SimdConvMethod::output_rotation, "output_rotation"},
     {SimdConvMethod::shifted_copies, "shifted_copies"},
     {SimdConvMethod::shifted_copies_published, "shifted_copies_published"}}};
constexpr std::array<Named<SimdFcMethod>, 4> kFcMethods = {
    {{SimdFcMethod::diagonal, "diagonal"},
     {SimdFcMethod::hybrid, "hybrid"},
     {SimdFcMethod::diagonal_baby_giant, "diagonal_baby_giant"},
     {SimdFcMethod::hybrid_baby_giant, "hybrid_baby_giant"}}};

template <typename Method>
std::string_view name_in(const std::array<Named<Method>, 4>& methods, Method wanted) {
  for (const auto& [method, name] : methods) {
    if (method == wanted) return name;
  }
  AP_ASSERT(false);
  return {};
}

template <typename Method>
std::optional<Method> method_in(const std::array<Named<Method>, 4>& methods, std::string_view wanted) {
  for (const auto& [method, name] : methods) {
    if (name == wanted) return method;
  }
  return std::nullopt;
}

std::string in_words(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

}  // namespace

std::string_view name_of(SimdConvMethod method) { return name_in(kConvMethods, method); }
std::string_view name_of(SimdFcMethod method) { return name_in(kFcMethods, method); }
std::optional<SimdConvMethod> conv_method(std::string_view name) { return method_in(kConvMethods, name); }
std::optional<SimdFcMethod> fc_method(std::string_view name) { return method_in(kFcMethods, name); }

bool is_matrix(const Geometry& geometry) {
  const nn::Window& window = geometry.window;
  return geometry.in.h == 1 && geometry.in.w == 1 && geometry.groups == 1 && window.kernel_h == 1 &&
         window.kernel_w == 1 && window.pad == nn::Padding{};
}

SimdPacking::SimdPacking(const Geometry& geometry, SimdConvMethod conv, SimdFcMethod fc, std::uint32_t n)
    : blocks_([&]() -> Blocks {
        check(geometry);
        if (is_matrix(geometry)) return SimdFcBlocks(geometry.in.c, geometry.c_out, fc, n);
        return SimdConv(geometry, conv, n);
      }()),
      method_(in_words(is_matrix(geometry) ? name_of(fc) : name_of(conv))) {}

std::optional<SimdPacking> SimdPacking::if_fits(const Geometry& geometry, SimdConvMethod conv,
                                                SimdFcMethod fc, std::uint32_t n) {
  check(geometry);
  if (!is_matrix(geometry) && !SimdConv::fits(geometry, conv, n)) return std::nullopt;
  return SimdPacking(geometry, conv, fc, n);
}

std::string SimdPacking::method() const { return method_; }

std::size_t SimdPacking::uploads() const {
  return std::visit([](const auto& blocks) { return blocks.uploads(); }, blocks_);
}

std::size_t SimdPacking::replies() const {
  return std::visit([](const auto& blocks) { return blocks.replies(); }, blocks_);
}

std::size_t SimdPacking::weight_plaintexts() const {
  return std::visit([](const auto& blocks) { return blocks.weight_plaintexts(); }, blocks_);
}

SimdCounts SimdPacking::counts() const {
  return std::visit([](const auto& blocks) { return blocks.counts(); }, blocks_);
}

std::vector<SimdTerms> SimdPacking::terms() const {
  std::vector<SimdTerms> distinct;
  for (std::size_t reply = 0; reply < replies(); ++reply) {
    const SimdTerms terms = std::visit([&](const auto& blocks) { return blocks.terms(reply); }, blocks_);
    const bool known = std::find(distinct.begin(), distinct.end(), terms) != distinct.end();
    if (!known) distinct.push_back(terms);
  }
  return distinct;
}

std::vector<std::uint32_t> SimdPacking::elements(const bfv::BatchContext& context) const {
  return std::visit([&](const auto& blocks) { return blocks.elements(context); }, blocks_);
}

std::vector<OutputPosition> SimdPacking::reads(std::size_t reply) const {
  return std::visit([&](const auto& blocks) { return blocks.reads(reply); }, blocks_);
}

void SimdPacking::encode_input(std::size_t upload, std::span<const std::uint64_t> input,
                               std::span<std::uint64_t> slots) const {
  std::visit([&](const auto& blocks) { blocks.encode_input(upload, input, slots); }, blocks_);
}

void SimdPacking::encode_weights(std::size_t index, std::span<const std::int16_t> weights, std::uint64_t p,
                                 std::span<std::uint64_t> slots) const {
  std::visit([&](const auto& blocks) { blocks.encode_weights(index, weights, p, slots); }, blocks_);
}

std::vector<rlwe::Ciphertext> SimdPacking::evaluate(std::span<const rlwe::Ciphertext> uploads,
                                                    std::span<const rlwe::Plaintext> weights,
                                                    const rlwe::GaloisKeys& keys) const {
  return std::visit([&](const auto& blocks) { return blocks.evaluate(uploads, weights, keys); }, blocks_);
}

}  // namespace ap::linear
