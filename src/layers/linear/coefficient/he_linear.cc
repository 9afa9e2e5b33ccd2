#include "layers/linear/coefficient/he_linear.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
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
  const auto count = static_cast<std::size_t>(layout_.geometry().out().size());
  positions_.reserve(count);
  outputs_.reserve(count);
  read_offset_.reserve(layout_.replies() + 1);
  reply_offset_.reserve(layout_.replies() + 1);
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
  const std::size_t window_upload = size_product(layout_.terms(), rlwe::seeded_bytes(*context_));
  part_window_ = {0, 0};
  for (std::size_t end = 1; end <= layout_.windows(); ++end) {
    const std::size_t begin = part_window_[part_window_.size() - 2], outputs = layout_.outputs_of_window();
    const std::size_t up = (end - begin) * window_upload;
    const std::size_t down = reply_offset_[end * outputs] - reply_offset_[begin * outputs];
    if (std::max(up, down) > kPartBytes && end - begin > 1) {
      part_window_.push_back(end);
    } else {
      part_window_.back() = end;
    }
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
  Bytes uploads;
  uploads.reserve(upload_bytes());
  for (std::size_t part = 0; part < parts(); ++part) {
    const Bytes bytes = encrypt(part, key, r, seed, errors);
    uploads.insert(uploads.end(), bytes.begin(), bytes.end());
  }
  return uploads;
}

Bytes HeLinear::encrypt(std::size_t part, const rlwe::SecretKey& key, std::span<const std::uint64_t> r,
                        const Seed& seed, rlwe::ErrorSource errors) const {
  const std::size_t each = rlwe::seeded_bytes(*context_), first = first_upload(part);
  Bytes uploads(part_upload_bytes(part));
  parallel_for(first_upload(part + 1) - first, [&](std::size_t i) {
    SecretVector<std::uint64_t> message(layout_.n());
    layout_.encode_input(first + i, r, message);
    Prng prng(seed, first + i);
    const Bytes upload = bfv::encrypt_seeded(*context_, key, message, log2_p_, prng, errors);
    AP_ASSERT(upload.size() == each);
    std::copy(upload.begin(), upload.end(), uploads.begin() + static_cast<std::ptrdiff_t>(i * each));
  });
  return uploads;
}

void HeLinear::decrypt(const rlwe::SecretKey& key, ByteView replies,
                       std::span<std::uint64_t> client_shares) const {
  if (replies.size() != reply_bytes()) {
    fail_peer("the replies of a linear layer have {} bytes instead of {}", replies.size(), reply_bytes());
  }
  for (std::size_t part = 0; part < parts(); ++part) {
    decrypt(part, key, replies.subspan(reply_offset_[first_reply(part)], part_reply_bytes(part)),
            client_shares);
  }
}

void HeLinear::decrypt(std::size_t part, const rlwe::SecretKey& key, ByteView replies,
                       std::span<std::uint64_t> client_shares) const {
  AP_ASSERT(client_shares.size() == outputs_.size());
  const std::size_t first = first_reply(part);
  if (replies.size() != part_reply_bytes(part)) {
    fail_peer("the replies of a linear layer have {} bytes instead of {}", replies.size(),
              part_reply_bytes(part));
  }
  parallel_for(first_reply(part + 1) - first, [&](std::size_t k) {
    const std::size_t i = first + k;
    const std::span<const std::uint32_t> at = outputs(i);
    SecretVector<std::uint64_t> shares(at.size());
    bfv::decrypt_reply(
        *context_, key,
        replies.subspan(reply_offset_[i] - reply_offset_[first], reply_offset_[i + 1] - reply_offset_[i]),
        log2_p_, reply_format(i), shares);
    for (std::size_t j = 0; j < at.size(); ++j) client_shares[at[j]] = shares[j];
  });
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
