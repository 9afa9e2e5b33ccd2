#include "layers/linear/simd/linear.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "layers/linear/simd/noise.h"
#include "layers/linear/simd/share.h"

namespace ap::linear {

SimdLinear::SimdLinear(const Geometry& geometry, bfv::BatchContextPtr context, const SimdChoice& choice)
    : geometry_(geometry),
      context_(std::move(context)),
      choice_(choice),
      packing_(geometry, choice.conv, choice.fc, static_cast<std::uint32_t>(context_->n())) {
  const double log2_p = context_->parameters().log2_p();
  if (choice.reply_level < 1 || reply_level() > context_->data()) {
    fail_input("a reply cannot have {} of {} primes", choice.reply_level, context_->data());
  }
  if (const double held = context_->level(reply_level()).log2_q; held < log2_p + 2) {
    fail_input("a reply of {} primes holds {:.1f} bits, too few for a plaintext modulus of {:.1f} bits",
               choice.reply_level, held, log2_p);
  }
  const double room = context_->parameters().log2_q() - log2_p - 1;
  if (choice.flood_bits < 1 || choice.flood_bits >= room) {
    fail_input("flooding with {} bits is outside 1 to {:.1f}, the room above the message", choice.flood_bits,
               room);
  }
}

LayerRing SimdLinear::ring() const {
  const bfv::BatchParameters& p = context_->parameters();
  return {p.n, p.data_primes, p.log2_q(), p.log2_qp()};
}

double SimdLinear::reply_failure_log2() const {
  const bfv::BatchParameters& p = context_->parameters();
  return noise::log2_der(noise::worst_noise(packing_.terms(), p), p, choice_.flood_bits, reply_level());
}

Bytes SimdLinear::encrypt(const rlwe::SecretKey& key, std::span<const std::uint64_t> r,
                          const Seed& seed) const {
  const std::size_t each = rlwe::seeded_bytes(*context_);
  Bytes bytes(upload_bytes());
  parallel_for(uploads(), [&](std::size_t i) {
    SecretVector<std::uint64_t> slots(context_->n());
    packing_.encode_input(i, r, slots);
    Prng prng(seed, i);
    const Bytes upload = bfv::batch_encrypt(*context_, key, slots, prng);
    AP_ASSERT(upload.size() == each);
    std::copy(upload.begin(), upload.end(), bytes.begin() + static_cast<std::ptrdiff_t>(i * each));
  });
  return bytes;
}

void SimdLinear::decrypt(const rlwe::SecretKey& key, ByteView bytes,
                         std::span<std::uint64_t> client_shares) const {
  AP_ASSERT(client_shares.size() == static_cast<std::size_t>(geometry_.out().size()));
  if (bytes.size() != reply_bytes()) {
    fail_peer("the replies of a linear layer have {} bytes instead of {}", bytes.size(), reply_bytes());
  }
  parallel_for(replies(), [&](std::size_t i) {
    const std::size_t each = each_reply_bytes();
    SecretVector<std::uint64_t> slots(context_->n());
    bfv::batch_decrypt(*context_, key,
                       rlwe::load_ciphertext(context_, reply_level(), bytes.subspan(i * each, each)), slots);
    for (const OutputPosition& read : packing_.reads(i)) client_shares[read.output] = slots[read.position];
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
  std::vector<std::optional<rlwe::Plaintext>> prepared(layer_->weight_plaintexts());
  parallel_for(prepared.size(), [&](std::size_t i) {
    SecretVector<std::uint64_t> slots(context.n());
    layer_->packing().encode_weights(i, weights, context.p().value(), slots);
    prepared[i].emplace(bfv::batch_plaintext(context, slots, context.data()));
  });
  weights_.reserve(prepared.size());
  for (auto& plaintext : prepared) weights_.push_back(std::move(*plaintext));
}

Bytes PreparedSimdLinear::apply(ByteView uploads, const rlwe::PublicKey& key,
                                const rlwe::GaloisKeys& rotations, const Seed& seed,
                                std::span<std::uint64_t> server_shares) const {
  AP_ASSERT(server_shares.size() == static_cast<std::size_t>(layer_->geometry().out().size()));
  if (uploads.size() != layer_->upload_bytes()) {
    fail_peer("the uploads of a linear layer have {} bytes instead of {}", uploads.size(),
              layer_->upload_bytes());
  }
  const bfv::BatchContextPtr& context = layer_->context();
  const std::size_t each_upload = rlwe::seeded_bytes(*context);
  std::vector<std::optional<rlwe::Ciphertext>> loaded(layer_->uploads());
  parallel_for(loaded.size(), [&](std::size_t i) {
    loaded[i].emplace(rlwe::load_seeded(context, uploads.subspan(i * each_upload, each_upload)));
  });
  std::vector<rlwe::Ciphertext> inputs;
  inputs.reserve(loaded.size());
  for (auto& upload : loaded) inputs.push_back(std::move(*upload));
  std::vector<rlwe::Ciphertext> results = layer_->packing().evaluate(inputs, weights_, rotations);

  Bytes replies(layer_->reply_bytes());
  parallel_for(results.size(), [&](std::size_t i) {
    const std::size_t each = layer_->each_reply_bytes();
    SecretVector<std::uint64_t> slots(context->n());
    Prng prng(seed, i);
    const Bytes reply = share_slots(*context, key, std::move(results[i]), layer_->choice().flood_bits,
                                    layer_->reply_level(), prng, slots);
    AP_ASSERT(reply.size() == each);
    std::copy(reply.begin(), reply.end(), replies.begin() + static_cast<std::ptrdiff_t>(i * each));
    for (const OutputPosition& read : layer_->reads(i)) server_shares[read.output] = slots[read.position];
  });
  return replies;
}

}  // namespace ap::linear
