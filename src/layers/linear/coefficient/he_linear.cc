#include "layers/linear/coefficient/he_linear.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "he/rlwe/evaluate.h"
#include "random/wide_noise.h"

namespace ap::linear {
namespace {

double sum_of_squares(std::span<const std::int32_t> values) {
  double sum = 0;
  for (const std::int32_t v : values) sum += static_cast<double>(v) * v;
  return sum;
}

// From the norm of each weight polynomial to the largest norm of a reply.
double largest_reply(const Layout& layout, const std::vector<double>& norm2) {
  double largest = 0;
  for (std::size_t first = 0; first < norm2.size(); first += layout.terms()) {
    double sum = 0;
    for (std::size_t t = 0; t < layout.terms(); ++t) sum += norm2[first + t];
    largest = std::max(largest, sum);
  }
  return largest;
}

void check_weights(const Layout& layout, std::span<const std::int16_t> weights) {
  const auto wanted = static_cast<std::size_t>(layout.geometry().weight_count());
  if (weights.size() != wanted) {
    fail_input("a linear layer of this shape has {} weights, but {} were given", wanted, weights.size());
  }
}

}  // namespace

HeLinear::HeLinear(Layout layout, bfv::ContextPtr context, int log2_p, int c0_dropped_bits,
                   int c1_dropped_bits, std::uint64_t noise_step)
    : layout_(std::move(layout)),
      context_(std::move(context)),
      log2_p_(log2_p),
      c0_dropped_bits_(c0_dropped_bits),
      c1_dropped_bits_(c1_dropped_bits),
      noise_step_(noise_step) {
  const std::uint32_t n = bfv::parameters(*context_).n;
  if (layout_.n() != n)
    fail_input("a layout for ring degree {} cannot run in a ring of degree {}", layout_.n(), n);
  if (log2_p < 1 || log2_p > 60) fail_input("the plaintext modulus must have 1 to 60 bits, not {}", log2_p);
  if (noise_step > kMaxWideNoiseStep) {
    fail_input("noise of step {} is wider than the largest, {}", noise_step, kMaxWideNoiseStep);
  }
  read_offset_.push_back(0);
  reply_offset_.push_back(0);
  for (std::size_t reply = 0; reply < layout_.replies(); ++reply) {
    for (const OutputPosition& read : layout_.reads(reply)) {
      positions_.push_back(read.position);
      outputs_.push_back(read.output);
    }
    read_offset_.push_back(positions_.size());
    reply_offset_.push_back(size_sum(reply_offset_.back(), bfv::reply_bytes(*context_, reply_format(reply))));
  }
}

bfv::ReplyFormat HeLinear::reply_format(std::size_t reply) const {
  bfv::ReplyFormat format;
  format.positions.assign(positions_.begin() + static_cast<std::ptrdiff_t>(read_offset_[reply]),
                          positions_.begin() + static_cast<std::ptrdiff_t>(read_offset_[reply + 1]));
  format.c0_dropped_bits = c0_dropped_bits_;
  format.c1_dropped_bits = c1_dropped_bits_;
  return format;
}

std::span<const std::uint32_t> HeLinear::outputs(std::size_t reply) const {
  return std::span(outputs_).subspan(read_offset_[reply], read_offset_[reply + 1] - read_offset_[reply]);
}

Bytes HeLinear::encrypt(const rlwe::SecretKey& key, std::span<const std::uint64_t> r, const Seed& seed,
                        rlwe::ErrorSource errors) const {
  const std::size_t each = rlwe::seeded_bytes(*context_);
  Bytes uploads(upload_bytes());
  parallel_for(layout_.uploads(), [&](std::size_t i) {
    SecretVector<std::uint64_t> message(layout_.n());
    layout_.encode_input(i, r, message);
    Prng prng(seed, i);
    const Bytes upload = bfv::encrypt_seeded(*context_, key, message, log2_p_, prng, errors);
    AP_ASSERT(upload.size() == each);
    std::copy(upload.begin(), upload.end(), uploads.begin() + static_cast<std::ptrdiff_t>(i * each));
  });
  return uploads;
}

void HeLinear::decrypt(const rlwe::SecretKey& key, ByteView replies,
                       std::span<std::uint64_t> client_shares) const {
  AP_ASSERT(client_shares.size() == outputs_.size());
  if (replies.size() != reply_bytes()) {
    fail_peer("the replies of a linear layer have {} bytes instead of {}", replies.size(), reply_bytes());
  }
  parallel_for(layout_.replies(), [&](std::size_t i) {
    const std::span<const std::uint32_t> at = outputs(i);
    SecretVector<std::uint64_t> shares(at.size());
    bfv::decrypt_reply(*context_, key,
                       replies.subspan(reply_offset_[i], reply_offset_[i + 1] - reply_offset_[i]), log2_p_,
                       reply_format(i), shares);
    for (std::size_t k = 0; k < at.size(); ++k) client_shares[at[k]] = shares[k];
  });
}

PreparedLinear::PreparedLinear(std::shared_ptr<const HeLinear> layer, std::span<const std::int16_t> weights)
    : layer_(std::move(layer)) {
  const Layout& layout = layer_->layout();
  check_weights(layout, weights);
  std::vector<std::optional<rlwe::Plaintext>> prepared(layout.weight_polynomials());
  std::vector<double> norm2(prepared.size());
  parallel_for(prepared.size(), [&](std::size_t i) {
    std::vector<std::int32_t> coefficients(layout.n());
    layout.encode_weights(i, weights, coefficients);
    norm2[i] = sum_of_squares(coefficients);
    prepared[i].emplace(bfv::small_plaintext(*layer_->context(), coefficients));
  });
  weights_.reserve(prepared.size());
  for (auto& polynomial : prepared) weights_.push_back(std::move(*polynomial));
  max_reply_norm2_ = largest_reply(layout, norm2);
}

std::size_t PreparedLinear::memory_bytes() const {
  std::size_t bytes = 0;
  for (const rlwe::Plaintext& w : weights_) bytes += w.memory_bytes();
  return bytes;
}

Bytes PreparedLinear::apply(ByteView uploads, const rlwe::PublicKey& key, const Seed& seed,
                            std::span<std::uint64_t> server_shares, rlwe::ErrorSource errors) const {
  const Layout& layout = layer_->layout();
  AP_ASSERT(server_shares.size() == static_cast<std::size_t>(layout.geometry().out().size()));
  if (uploads.size() != layer_->upload_bytes()) {
    fail_peer("the uploads of a linear layer have {} bytes instead of {}", uploads.size(),
              layer_->upload_bytes());
  }
  const std::size_t each = rlwe::seeded_bytes(*layer_->context());
  std::vector<std::optional<rlwe::Ciphertext>> inputs(layout.uploads());
  parallel_for(inputs.size(), [&](std::size_t i) {
    inputs[i].emplace(rlwe::load_seeded(layer_->context(), uploads.subspan(i * each, each)));
  });

  Bytes replies(layer_->reply_bytes());
  parallel_for(layout.replies(), [&](std::size_t i) {
    const bfv::ContextPtr& context = layer_->context();
    rlwe::Ciphertext sum(context, context->data());
    const std::size_t upload = layout.first_upload(i), weight = layout.first_weight(i);
    std::vector<const rlwe::Ciphertext*> x(layout.terms());
    std::vector<const rlwe::Plaintext*> w(layout.terms());
    for (std::size_t t = 0; t < layout.terms(); ++t) {
      x[t] = &*inputs[upload + t];
      w[t] = &weights_[weight + t];
    }
    rlwe::multiply_plain_add(x, w, sum);
    const std::span<const std::uint32_t> at = layer_->outputs(i);
    SecretVector<std::uint64_t> shares(at.size());
    Prng prng(seed, i);
    const Bytes reply = bfv::reshare(*context, key, std::move(sum), layer_->log2_p(), layer_->reply_format(i),
                                     layer_->noise_step(), prng, shares, errors);
    AP_ASSERT(reply.size() == layer_->reply_offset(i + 1) - layer_->reply_offset(i));
    std::copy(reply.begin(), reply.end(),
              replies.begin() + static_cast<std::ptrdiff_t>(layer_->reply_offset(i)));
    for (std::size_t k = 0; k < at.size(); ++k) server_shares[at[k]] = shares[k];
  });
  return replies;
}

double max_reply_norm2(const Layout& layout, std::span<const std::int16_t> weights) {
  check_weights(layout, weights);
  std::vector<double> norm2(layout.weight_polynomials());
  parallel_for(norm2.size(), [&](std::size_t i) {
    std::vector<std::int32_t> coefficients(layout.n());
    layout.encode_weights(i, weights, coefficients);
    norm2[i] = sum_of_squares(coefficients);
  });
  return largest_reply(layout, norm2);
}

double largest_magnitude(std::span<const std::int16_t> weights) {
  double largest = 0;
  for (const std::int16_t w : weights) largest = std::max(largest, std::abs(static_cast<double>(w)));
  return largest;
}

}  // namespace ap::linear
