#include "analysis/noise/inject.h"

#include <algorithm>

#include "analysis/noise/counter_random.h"
#include "analysis/noise/draw_kernels.h"
#include "base/error.h"

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

}  // namespace

Injection::Injection(const ErrorModel& model, std::uint64_t seed, std::uint64_t image)
    : model_(&model), seed_(seed), image_(image) {}

nn::IntegerHooks Injection::hooks() {
  nn::IntegerHooks hooks;
  hooks.after_node = [this](int node, std::span<std::int32_t> values) { after_node(node, values); };
  hooks.rounding = [this](int node, std::span<const std::int32_t> x, std::span<std::int32_t> offset) {
    rounding(node, x, offset);
  };
  hooks.result_rounding = [this](int node, std::span<std::int64_t> offset) { result_rounding(node, offset); };
  return hooks;
}

void Injection::after_node(int node, std::span<std::int32_t> values) {
  const auto linear = std::ranges::lower_bound(model_->linears, node, {}, &LinearError::node);
  if (linear != model_->linears.end() && linear->node == node) {
    AP_ASSERT(linear->error_std.size() == values.size());
    draw_kernels().add_deviations(counter_key(seed_, image_, static_cast<std::uint64_t>(node), kReSharing),
                                  linear->error_std.data(), values.size(), values.data());
  }
  const auto replies = std::ranges::lower_bound(model_->replies, node, {}, &DecryptionFailures::node);
  if (replies != model_->replies.end() && replies->node == node) {
    const std::uint64_t key = counter_key(seed_, image_, static_cast<std::uint64_t>(node), kDecryption);
    failures_ += inject_decryption_failures(*replies, key, values);
  }
  if (node == model_->logits && can_wrap(model_->logit_prime, model_->logit_bits)) {
    for (std::int32_t& v : values) {
      const auto wrapped = static_cast<std::int32_t>(wrap(v, model_->logit_prime, model_->logit_bits));
      wraps_ += wrapped != v;
      v = wrapped;
    }
  }
}

void Injection::rounding(int node, std::span<const std::int32_t> x, std::span<std::int32_t> offset) {
  const auto found = std::ranges::lower_bound(model_->truncations, node, {}, &TruncationError::node);
  AP_ASSERT(found != model_->truncations.end() && found->node == node);
  const TruncationError& t = *found;
  AP_ASSERT(!x.empty() && x.size() == offset.size());
  // floor(a / 2^d) + floor(b / 2^d) of shares a + b = x is floor((x - (a mod 2^d)) / 2^d), with a uniform.
  const std::uint32_t mask = (std::uint32_t{1} << t.dropped_bits) - 1;
  if (mask == 0) {
    std::ranges::fill(offset, static_cast<std::int32_t>(t.offset));
  } else {
    draw_kernels().uniform_below(counter_key(seed_, image_, static_cast<std::uint64_t>(node), kTruncation),
                                 static_cast<std::int32_t>(t.offset), mask, offset.size(), offset.data());
  }
  const int width = t.sum_bits + t.shift;
  if (!can_wrap(t.prime, width)) return;
  const std::int64_t lower = t.low * (std::int64_t{1} << t.shift);
  const auto wrapped = [&](std::int64_t y) { return wrap(y, t.prime, width); };
  std::int32_t least = 0, largest = 0;
  draw_kernels().extremes(x.data(), x.size(), least, largest);
  const std::int64_t bottom = least + t.offset - mask - lower, top = largest + t.offset - lower;
  if (wrapped(bottom) == bottom && wrapped(top) == top) return;
  for (std::size_t i = 0; i < offset.size(); ++i) {
    const std::int64_t y = std::int64_t{x[i]} + offset[i] - lower, kept = wrapped(y);
    if (kept != y) {
      ++wraps_;
      offset[i] = static_cast<std::int32_t>(kept + lower - x[i]);
    }
  }
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
