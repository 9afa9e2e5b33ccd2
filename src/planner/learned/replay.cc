#include "planner/learned/replay.h"

#include <bit>

namespace ap::ddpg {
namespace {

void save_float(ByteWriter& out, float value) { out.u32(std::bit_cast<std::uint32_t>(value)); }
float load_float(ByteReader& in) { return std::bit_cast<float>(in.u32()); }

}  // namespace

Replay::Replay(std::size_t capacity) : capacity_(capacity) { AP_ASSERT(capacity > 0); }

void Replay::push(const Transition& transition) {
  if (steps_.size() < capacity_) {
    steps_.push_back(transition);
    return;
  }
  steps_[oldest_] = transition;
  oldest_ = (oldest_ + 1) % capacity_;
}

std::vector<std::size_t> Replay::sample(std::size_t count, Random& random) const {
  std::vector<std::size_t> chosen(count);
  for (std::size_t& i : chosen) i = random.index(steps_.size());
  return chosen;
}

void Replay::save(ByteWriter& out) const {
  out.u64(steps_.size());
  out.u64(oldest_);
  for (const Transition& t : steps_) {
    for (const float feature : t.state) save_float(out, feature);
    for (const float feature : t.next) save_float(out, feature);
    save_float(out, t.action);
    save_float(out, t.reward);
    out.u8(t.last);
  }
}

void Replay::load(ByteReader& in) {
  const std::uint64_t count = in.u64(), oldest = in.u64();
  if (count > capacity_ || oldest >= capacity_) {
    fail_input("a stored search remembers {} steps, more than {}; delete it and search again", count,
               capacity_);
  }
  steps_.assign(static_cast<std::size_t>(count), {});
  oldest_ = static_cast<std::size_t>(oldest);
  for (Transition& t : steps_) {
    for (float& feature : t.state) feature = load_float(in);
    for (float& feature : t.next) feature = load_float(in);
    t.action = load_float(in);
    t.reward = load_float(in);
    t.last = in.u8() != 0;
  }
}

}  // namespace ap::ddpg
