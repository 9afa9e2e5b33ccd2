#include "layers/linear/simd/linear.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "layers/linear/simd/share.h"

namespace ap::linear {
namespace {

std::variant<SimdConv, SimdFcBlocks> choose_packing(const Geometry& geometry, std::uint32_t n,
                                                    const SimdOptions& options) {
  check(geometry);
  const nn::Window& window = geometry.window;
  const bool matrix = geometry.in.h == 1 && geometry.in.w == 1 && geometry.groups == 1 &&
                      window.kernel_h == 1 && window.kernel_w == 1 && window.pad == nn::Padding{};
  if (matrix) return SimdFcBlocks(geometry.in.c, geometry.c_out, options.fc, n);
  return SimdConv(geometry, options.conv, n);
}

}  // namespace

SimdLinear::SimdLinear(const Geometry& geometry, bfv::BatchContextPtr context, const SimdOptions& options)
    : geometry_(geometry),
      context_(std::move(context)),
      options_(options),
      packing_(choose_packing(geometry, static_cast<std::uint32_t>(context_->n()), options)) {
  const double log2_p = context_->parameters().log2_p();
  if (options.reply_level < 1 || options.reply_level > context_->data()) {
    fail_input("a reply cannot have {} of {} primes", options.reply_level, context_->data());
  }
  if (const double held = context_->level(options.reply_level).log2_q; held < log2_p + 2) {
    fail_input("a reply of {} primes holds {:.1f} bits, too few for a plaintext modulus of {:.1f} bits",
               options.reply_level, held, log2_p);
  }
  const double room = context_->parameters().log2_q() - log2_p - 1;
  if (options.flood_bits < 1 || options.flood_bits >= room) {
    fail_input("flooding with {} bits is outside 1 to {:.1f}, the room above the message", options.flood_bits,
               room);
  }
}

std::size_t SimdLinear::uploads() const {
  return std::visit([](const auto& packing) { return packing.uploads(); }, packing_);
}

std::size_t SimdLinear::replies() const {
  return std::visit([](const auto& packing) { return packing.replies(); }, packing_);
}

std::size_t SimdLinear::weight_plaintexts() const {
  return std::visit([](const auto& packing) { return packing.weight_plaintexts(); }, packing_);
}

std::vector<std::uint32_t> SimdLinear::elements() const {
  return std::visit([this](const auto& packing) { return packing.elements(*context_); }, packing_);
}

Bytes SimdLinear::encrypt(const bfv::BatchSecretKey& key, std::span<const std::uint64_t> r,
                          const Seed& seed) const {
  const std::size_t each = bfv::batch_encrypted_bytes(*context_);
  Bytes bytes(upload_bytes());
  parallel_for(uploads(), [&](std::size_t i) {
    SecretVector<std::uint64_t> slots(context_->n());
    std::visit([&](const auto& packing) { packing.encode_input(i, r, slots); }, packing_);
    Prng prng(seed, i);
    const Bytes upload = bfv::batch_encrypt(key, slots, prng);
    AP_ASSERT(upload.size() == each);
    std::copy(upload.begin(), upload.end(), bytes.begin() + static_cast<std::ptrdiff_t>(i * each));
  });
  return bytes;
}

void SimdLinear::decrypt(const bfv::BatchSecretKey& key, ByteView bytes,
                         std::span<std::uint64_t> client_shares) const {
  AP_ASSERT(client_shares.size() == static_cast<std::size_t>(geometry_.out().size()));
  if (bytes.size() != reply_bytes()) {
    fail_peer("the replies of a linear layer have {} bytes instead of {}", bytes.size(), reply_bytes());
  }
  parallel_for(replies(), [&](std::size_t i) {
    const std::size_t each = each_reply_bytes();
    SecretVector<std::uint64_t> slots(context_->n());
    bfv::batch_decrypt(
        key, bfv::load_ciphertext(context_, options_.reply_level, bytes.subspan(i * each, each)), slots);
    const auto reads = std::visit([i](const auto& packing) { return packing.reads(i); }, packing_);
    for (const SimdConv::Read& read : reads) client_shares[read.output] = slots[read.slot];
  });
}

PreparedSimdLinear::PreparedSimdLinear(std::shared_ptr<const SimdLinear> layer,
                                       std::span<const std::int16_t> weights)
    : layer_(std::move(layer)) {
  if (const std::int64_t wanted = layer_->geometry().weight_count();
      weights.size() != static_cast<std::size_t>(wanted)) {
    fail_input("a linear layer of this shape has {} weights, but {} were given", wanted, weights.size());
  }
  const bfv::BatchContext& context = *layer_->context();
  std::vector<std::optional<bfv::BatchPlaintext>> prepared(layer_->weight_plaintexts());
  parallel_for(prepared.size(), [&](std::size_t i) {
    SecretVector<std::uint64_t> slots(context.n());
    std::visit([&](const auto& packing) { packing.encode_weights(i, weights, context.p().value(), slots); },
               layer_->packing_);
    prepared[i].emplace(context, slots, context.data());
  });
  weights_.reserve(prepared.size());
  for (auto& plaintext : prepared) weights_.push_back(std::move(*plaintext));
}

Bytes PreparedSimdLinear::apply(ByteView uploads, const bfv::BatchPublicKey& key,
                                const bfv::GaloisKeys& rotations, const Seed& seed,
                                std::span<std::uint64_t> server_shares) const {
  AP_ASSERT(server_shares.size() == static_cast<std::size_t>(layer_->geometry().out().size()));
  if (uploads.size() != layer_->upload_bytes()) {
    fail_peer("the uploads of a linear layer have {} bytes instead of {}", uploads.size(),
              layer_->upload_bytes());
  }
  const bfv::BatchContextPtr& context = layer_->context();
  const std::size_t each_upload = bfv::batch_encrypted_bytes(*context);
  std::vector<std::optional<bfv::BatchCiphertext>> loaded(layer_->uploads());
  parallel_for(loaded.size(), [&](std::size_t i) {
    loaded[i].emplace(bfv::load_seeded(context, uploads.subspan(i * each_upload, each_upload)));
  });
  std::vector<bfv::BatchCiphertext> inputs;
  inputs.reserve(loaded.size());
  for (auto& upload : loaded) inputs.push_back(std::move(*upload));
  std::vector<bfv::BatchCiphertext> results = std::visit(
      [&](const auto& packing) { return packing.evaluate(inputs, weights_, rotations); }, layer_->packing_);

  Bytes replies(layer_->reply_bytes());
  parallel_for(results.size(), [&](std::size_t i) {
    const std::size_t each = layer_->each_reply_bytes();
    SecretVector<std::uint64_t> slots(context->n());
    Prng prng(seed, i);
    const Bytes reply = share_slots(key, std::move(results[i]), layer_->options().flood_bits,
                                    layer_->options().reply_level, prng, slots);
    AP_ASSERT(reply.size() == each);
    std::copy(reply.begin(), reply.end(), replies.begin() + static_cast<std::ptrdiff_t>(i * each));
    const auto reads = std::visit([i](const auto& packing) { return packing.reads(i); }, layer_->packing_);
    for (const SimdConv::Read& read : reads) server_shares[read.output] = slots[read.slot];
  });
  return replies;
}

}  // namespace ap::linear
