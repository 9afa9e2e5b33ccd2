#include "noise/inject.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "noise/counter_random.h"

namespace ap::noise {
namespace {

enum Purpose : std::uint64_t { kReSharing = 1, kTruncation = 2, kDecryption = 3, kResult = 4 };

// Wider sums cannot leave the 32-bit values of the executor anyway.
constexpr int kWidestWrap = 30;

bool can_wrap(std::uint64_t prime, int bits) {
  return prime != 0 ? prime < std::uint64_t{1} << kWidestWrap : bits <= kWidestWrap;
}

std::int64_t wrap_signed(std::int64_t v, int bits) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(v) << (64 - bits)) >> (64 - bits);
}

std::int64_t wrap(std::int64_t v, std::uint64_t prime, int bits) {
  return prime != 0 ? centred(v, prime) : wrap_signed(v, bits);
}

void add_re_sharing_error(std::uint64_t key, std::span<const float> tau, std::span<std::int32_t> values) {
  AP_ASSERT(tau.size() == values.size());
  const NormalQuantile& normal = NormalQuantile::instance();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t bits = counter_bits(key, i);
    const float u = static_cast<float>(bits >> 40) * 0x1p-24F;
    const auto deviation = static_cast<std::int32_t>(std::floor(tau[i] * normal(bits) + u));
    values[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(values[i]) + static_cast<std::uint32_t>(deviation));
  }
}

}  // namespace

Injection::Injection(const ErrorModel& model, std::uint64_t seed, std::uint64_t image)
    : model_(&model), seed_(seed), image_(image), inputs_(model.truncations.size()) {}

nn::IntegerHooks Injection::hooks() {
  nn::IntegerHooks hooks;
  hooks.after_node = [this](int node, std::span<std::int32_t> values) { after_node(node, values); };
  hooks.rounding = [this](int node, std::span<std::int32_t> offset) { rounding(node, offset); };
  hooks.result_rounding = [this](int node, std::span<std::int64_t> offset) {
    result_rounding(node, offset);
  };
  return hooks;
}

void Injection::after_node(int node, std::span<std::int32_t> values) {
  const auto linear = std::ranges::lower_bound(model_->linears, node, {}, &LinearError::node);
  if (linear != model_->linears.end() && linear->node == node) {
    add_re_sharing_error(counter_key(seed_, image_, static_cast<std::uint64_t>(node), kReSharing), linear->tau, values);
  }
  const auto replies = std::ranges::lower_bound(model_->replies, node, {}, &ReplyErrors::node);
  if (replies != model_->replies.end() && replies->node == node) {
    const std::uint64_t key = counter_key(seed_, image_, static_cast<std::uint64_t>(node), kDecryption);
    failures_ += inject_decryption_errors(*replies, key, values);
  }
  if (node == model_->logits && can_wrap(model_->logit_prime, model_->logit_bits)) {
    for (std::int32_t& v : values) {
      const auto wrapped = static_cast<std::int32_t>(wrap(v, model_->logit_prime, model_->logit_bits));
      wraps_ += wrapped != v;
      v = wrapped;
    }
  }
  for (std::size_t t = 0; t < inputs_.size(); ++t) {
    if (model_->truncations[t].input == node) inputs_[t].assign(values.begin(), values.end());
  }
}

void Injection::rounding(int node, std::span<std::int32_t> offset) {
  const auto found = std::ranges::lower_bound(model_->truncations, node, {}, &TruncationError::node);
  AP_ASSERT(found != model_->truncations.end() && found->node == node);
  const TruncationError& t = *found;
  std::vector<std::int32_t>& x = inputs_[static_cast<std::size_t>(found - model_->truncations.begin())];
  AP_ASSERT(x.size() == offset.size());
  const std::uint64_t key = counter_key(seed_, image_, static_cast<std::uint64_t>(node), kTruncation);
  // floor(a / 2^d) + floor(b / 2^d) of shares a + b = x is floor((x - (a mod 2^d)) / 2^d), with a uniform.
  const std::uint64_t mask = (std::uint64_t{1} << t.dropped_bits) - 1;
  const int width = t.sum_bits + t.shift;
  const std::int64_t lower = t.low * (std::int64_t{1} << t.shift);
  for (std::size_t i = 0; i < offset.size(); ++i) {
    const std::int64_t added = t.offset - static_cast<std::int64_t>(counter_bits(key, i) & mask);
    offset[i] = static_cast<std::int32_t>(added);
    if (!can_wrap(t.prime, width)) continue;
    const std::int64_t y = x[i] + added - lower, wrapped = wrap(y, t.prime, width);
    if (wrapped != y) {
      ++wraps_;
      offset[i] = static_cast<std::int32_t>(wrapped + lower - x[i]);
    }
  }
  x = {};
}

void Injection::result_rounding(int node, std::span<std::int64_t> offset) {
  const auto found = std::ranges::lower_bound(model_->results, node, {}, &ResultError::node);
  AP_ASSERT(found != model_->results.end() && found->node == node);
  const std::uint64_t key = counter_key(seed_, image_, static_cast<std::uint64_t>(node), kResult);
  const std::uint64_t mask = (std::uint64_t{1} << found->dropped_bits) - 1;
  for (std::size_t i = 0; i < offset.size(); ++i) {
    offset[i] = found->offset - static_cast<std::int64_t>(counter_bits(key, i) & mask);
  }
}

}  // namespace ap::noise
