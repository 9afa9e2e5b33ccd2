#include "layers/linear/simd/conv.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <set>

#include "base/error.h"
#include "he/bfv/batch_scheme.h"
#include "ring/modulus.h"

namespace ap::linear {
namespace {

int floor_divide(int x, int by) { return x >= 0 ? x / by : -((by - 1 - x) / by); }

}  // namespace

SimdConv::Map SimdConv::map_of(const Geometry& geometry, SimdConvMethod method) {
  const nn::Window& window = geometry.window;
  const nn::Shape out = geometry.out();
  Map map;
  map.rows = out.h;
  map.pitch = out.w;
  if (sends_copies(method)) {
    for (int l = 0; l < window.kernel_h; ++l) {
      for (int k = 0; k < window.kernel_w; ++k) map.taps.push_back({l, k});
    }
    return map;
  }
  map.phases_h = window.stride_h;
  map.phases_w = window.stride_w;
  // Kernel row l reads row s y + l - pad = s (y + a) + phase: the offsets a that occur.
  const auto last = [](int kernel, int pad, int stride) { return floor_divide(kernel - 1 - pad, stride); };
  for (int a = floor_divide(-window.pad.top, map.phases_h);
       a <= last(window.kernel_h, window.pad.top, map.phases_h); ++a) {
    for (int b = floor_divide(-window.pad.left, map.phases_w);
         b <= last(window.kernel_w, window.pad.left, map.phases_w); ++b) {
      map.taps.push_back({a, b});
    }
  }
  map.rows = std::max(map.rows, (geometry.in.h + map.phases_h - 1) / map.phases_h);
  map.pitch = std::max(map.pitch, (geometry.in.w + map.phases_w - 1) / map.phases_w);
  // Offsets past the whole map (of a kernel larger than its map) meet nothing but padding.
  std::erase_if(map.taps, [&](const Tap& tap) {
    return std::abs(tap.row) >= map.rows || std::abs(tap.column) >= map.pitch;
  });
  return map;
}

std::size_t SimdConv::channels_of(const Geometry& geometry, const Map& map, std::uint32_t n) {
  const auto in = static_cast<std::size_t>(geometry.in.c * map.phases_h * map.phases_w);
  const auto wanted =
      std::max<std::size_t>(2, std::bit_ceil(std::max(in, static_cast<std::size_t>(geometry.c_out))));
  return std::min(n / std::bit_ceil(static_cast<std::size_t>(map.slots())), wanted);
}

std::size_t SimdConv::diagonals_of(const Geometry& geometry, const Map& map, std::size_t channels) {
  const auto in = static_cast<std::size_t>(geometry.in.c * map.phases_h * map.phases_w);
  const auto groups = [&](std::size_t all) { return (all + channels - 1) / channels; };
  return groups(in) * groups(static_cast<std::size_t>(geometry.c_out)) * channels;
}

bool SimdConv::fits(const Geometry& geometry, SimdConvMethod method, std::uint32_t n) {
  const Map map = map_of(geometry, method);
  return std::has_single_bit(n) && map.slots() <= n / 2 &&
         diagonals_of(geometry, map, channels_of(geometry, map, n)) <= kMaxDiagonals;
}

SimdConv::SimdConv(const Geometry& geometry, SimdConvMethod method, std::uint32_t n)
    : geometry_(geometry), method_(method), n_(n) {
  check(geometry);
  Map map = map_of(geometry, method);
  if (!std::has_single_bit(n) || map.slots() > n / 2) {
    fail_input("a map of {} x {} takes {} slots, but one row of a batch of degree {} has {}", map.rows,
               map.pitch, map.slots(), n, n / 2);
  }
  phases_h_ = map.phases_h;
  phases_w_ = map.phases_w;
  pitch_ = map.pitch;
  channels_ = channels_of(geometry, map, n);
  span_ = n_ / channels_;
  const auto channels_in = static_cast<std::size_t>(geometry.in.c * phases_h_ * phases_w_);
  groups_in_ = (channels_in + channels_ - 1) / channels_;
  groups_out_ = (static_cast<std::size_t>(geometry.c_out) + channels_ - 1) / channels_;
  if (diagonals_of(geometry, map, channels_) > kMaxDiagonals) {
    fail_input(
        "a layer of {} by {} ciphertexts of {} channels is too large for slots; {} diagonals are allowed",
        groups_in_, groups_out_, channels_, kMaxDiagonals);
  }
  taps_ = std::move(map.taps);
  find_diagonals();
}

// Every pair of an input channel and an output that it reaches lies on one diagonal.
void SimdConv::find_diagonals() {
  const std::size_t half = channels_ / 2, all = groups_out_ * groups_in_ * channels_;
  constexpr std::uint32_t kUsed = kUnused - 1;
  first_weight_.assign(all, kUnused);
  const auto groups = static_cast<std::size_t>(geometry_.groups);
  const std::size_t in_per =
      static_cast<std::size_t>(geometry_.in.c) / groups * static_cast<std::size_t>(phases_h_ * phases_w_);
  const std::size_t out_per = static_cast<std::size_t>(geometry_.c_out) / groups;
  for (std::size_t o = 0; o < static_cast<std::size_t>(geometry_.c_out); ++o) {
    const std::size_t first = o / out_per * in_per;
    for (std::size_t c = first; c < first + in_per; ++c) {
      const std::size_t source = c % channels_, target = o % channels_;
      const std::size_t swap = source / half ^ target / half, shift = (source + half - target % half) % half;
      first_weight_[diagonal_index(o / channels_, swap, shift, c / channels_)] = kUsed;
    }
  }
  for (std::size_t at = 0; at < all; ++at) {
    if (first_weight_[at] == kUnused) continue;
    first_weight_[at] = static_cast<std::uint32_t>(diagonals_.size() * taps());
    diagonals_.push_back(static_cast<std::uint32_t>(at));
  }
}

bool SimdConv::uses(std::size_t out, std::size_t swap, std::size_t shift, std::size_t first,
                    std::size_t last) const {
  for (std::size_t in = first; in < last; ++in) {
    if (first_weight_[diagonal_index(out, swap, shift, in)] != kUnused) return true;
  }
  return false;
}

bool SimdConv::rotates_input(std::size_t in, std::size_t swap, std::size_t shift) const {
  for (std::size_t out = 0; out < groups_out_; ++out) {
    if (uses(out, swap, shift, in, in + 1)) return true;
  }
  return false;
}

std::size_t SimdConv::uploads() const { return copies() ? size_product(groups_in_, taps()) : groups_in_; }

std::int64_t SimdConv::rotations_of_sum(std::size_t out, std::size_t first, std::size_t last) const {
  std::int64_t rotations = 0;
  for (std::size_t swap = 0; swap < 2; ++swap) {
    bool swapped = false;
    for (std::size_t shift = 0; shift < channels_ / 2; ++shift) {
      if (!uses(out, swap, shift, first, last)) continue;
      rotations += shift > 0;
      swapped = swap == 1;
    }
    rotations += swapped;
  }
  return rotations;
}

SimdCounts SimdConv::counts() const {
  SimdCounts c{static_cast<std::int64_t>(uploads()), static_cast<std::int64_t>(groups_out_),
               static_cast<std::int64_t>(weight_plaintexts()), 0, 0};
  const auto rotating =
      std::count_if(taps_.begin(), taps_.end(), [&](const Tap& tap) { return slot_offset(tap) != 0; });
  if (method_ == SimdConvMethod::input_rotation) {
    for (std::size_t in = 0; in < groups_in_; ++in) {
      for (std::size_t swap = 0; swap < 2; ++swap) {
        bool swapped = false;
        for (std::size_t shift = 0; shift < channels_ / 2; ++shift) {
          if (!rotates_input(in, swap, shift)) continue;
          c.hoisted_rotations += shift > 0 ? static_cast<std::int64_t>(taps()) : rotating;
          swapped = swap == 1;
        }
        c.hoisted_rotations += swapped;
      }
    }
    return c;
  }
  if (!copies()) c.hoisted_rotations = static_cast<std::int64_t>(groups_in_) * rotating;
  const std::size_t step = step_of_sum();
  for (std::size_t out = 0; out < groups_out_; ++out) {
    for (std::size_t first = 0; first < groups_in_; first += step) {
      c.plain_rotations += rotations_of_sum(out, first, first + step);
    }
  }
  return c;
}

std::vector<std::uint32_t> SimdConv::elements(const bfv::BatchContext& context) const {
  AP_ASSERT(context.n() == n_);
  std::set<std::uint32_t> elements;
  const auto rotation = [&](int step) { elements.insert(bfv::rotation_element(context, step)); };
  const std::size_t half = channels_ / 2;
  for (const std::uint32_t diagonal : diagonals_) {
    const std::size_t swap = diagonal / groups_in_ / half % 2, shift = diagonal / groups_in_ % half;
    const auto places = static_cast<int>(shift * span_);
    if (swap == 1) elements.insert(bfv::swap_element(context));
    if (method_ == SimdConvMethod::input_rotation) {
      for (const Tap& tap : taps_) rotation(places + slot_offset(tap));
    } else {
      rotation(places);
    }
  }
  if (method_ == SimdConvMethod::output_rotation) {
    for (const Tap& tap : taps_) rotation(slot_offset(tap));
  }
  elements.erase(1);
  return {elements.begin(), elements.end()};
}

void SimdConv::encode_input(std::size_t upload, std::span<const std::uint64_t> tensor,
                            std::span<std::uint64_t> slots) const {
  const nn::Shape& in = geometry_.in;
  const nn::Window& window = geometry_.window;
  AP_ASSERT(upload < uploads() && slots.size() == n_ && tensor.size() == static_cast<std::size_t>(in.size()));
  std::fill(slots.begin(), slots.end(), 0);
  const std::size_t group = copies() ? upload / taps() : upload;
  const nn::Shape out = geometry_.out();
  const int rows = copies() ? out.h : (in.h + phases_h_ - 1) / phases_h_;
  const int columns = copies() ? out.w : (in.w + phases_w_ - 1) / phases_w_;
  for (std::size_t place = 0; place < channels_; ++place) {
    const std::size_t channel = group * channels_ + place;
    const auto phases = static_cast<std::size_t>(phases_h_ * phases_w_);
    if (channel >= static_cast<std::size_t>(in.c) * phases) break;
    const auto phase = static_cast<int>(channel % phases);
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; ++x) {
        int row = y * phases_h_ + phase / phases_w_, column = x * phases_w_ + phase % phases_w_;
        if (copies()) {
          const Tap& tap = taps_[upload % taps()];
          row = y * window.stride_h + tap.row - window.pad.top;
          column = x * window.stride_w + tap.column - window.pad.left;
        }
        if (row < 0 || row >= in.h || column < 0 || column >= in.w) continue;
        const auto at = (static_cast<std::int64_t>(channel / phases) * in.h + row) * in.w + column;
        slots[place * span_ + static_cast<std::size_t>(y * pitch_ + x)] =
            tensor[static_cast<std::size_t>(at)];
      }
    }
  }
}

SimdTerms SimdConv::terms(std::size_t reply) const {
  const std::size_t half = channels_ / 2;
  const bool by_input = method_ == SimdConvMethod::input_rotation;
  // Whether some weight lies on a diagonal; see encode_weights for who meets whom.
  const auto present = [&](std::size_t swap, std::size_t shift, std::size_t in, const Tap& tap) {
    for (std::size_t at = 0; at < channels_; ++at) {
      const std::size_t row = at / half, place = at % half;
      std::size_t source = at, target = (row ^ swap) * half + (place + half - shift) % half;
      if (by_input) {
        target = at;
        source = (row ^ swap) * half + (place + shift) % half;
      }
      if (weight_at(reply * channels_ + target, in * channels_ + source, tap) >= 0) return true;
    }
    return false;
  };
  // Groups of channels meet only their own outputs.
  const auto phases = static_cast<std::size_t>(phases_h_ * phases_w_);
  const auto groups = static_cast<std::size_t>(geometry_.groups);
  const std::size_t in_per = static_cast<std::size_t>(geometry_.in.c) / groups * phases;
  const std::size_t out_per = static_cast<std::size_t>(geometry_.c_out) / groups;
  const std::size_t outputs = std::min((reply + 1) * channels_, static_cast<std::size_t>(geometry_.c_out));
  const std::size_t first = reply * channels_ / out_per * in_per / channels_;
  const std::size_t last =
      std::min(((outputs - 1) / out_per + 1) * in_per + channels_ - 1, groups_in_ * channels_) / channels_;
  SimdTerms t;
  for (std::size_t swap = 0; swap < 2; ++swap) {
    for (std::size_t shift = 0; shift < half; ++shift) {
      for (const Tap& tap : taps_) {
        const int steps = slot_offset(tap) + static_cast<int>(by_input ? shift * span_ : 0);
        const int switches = copies() ? 0 : (steps != 0 ? 1 : 0) + (by_input && swap == 1 ? 1 : 0);
        for (std::size_t in = first; in < last; ++in) {
          if (!present(swap, shift, in, tap)) continue;
          ++t.products;
          t.switched += switches;
        }
      }
    }
  }
  if (!by_input) {
    for (std::size_t in = 0; in < groups_in_; in += step_of_sum()) {
      t.rotated += rotations_of_sum(reply, in, in + step_of_sum());
    }
  }
  return t;
}

std::int64_t SimdConv::weight_at(std::size_t out, std::size_t channel, const Tap& tap) const {
  const nn::Window& window = geometry_.window;
  const auto phases = static_cast<std::size_t>(phases_h_ * phases_w_);
  const auto c = static_cast<int>(channel / phases), o = static_cast<int>(out);
  if (c >= geometry_.in.c || o >= geometry_.c_out) return -1;
  const int per_group = geometry_.in.c / geometry_.groups;
  if (c / per_group != o / (geometry_.c_out / geometry_.groups)) return -1;
  int l = tap.row, k = tap.column;
  if (!copies()) {
    const auto phase = static_cast<int>(channel % phases);
    l = tap.row * phases_h_ + phase / phases_w_ + window.pad.top;
    k = tap.column * phases_w_ + phase % phases_w_ + window.pad.left;
    if (l < 0 || l >= window.kernel_h || k < 0 || k >= window.kernel_w) return -1;
  }
  return ((std::int64_t{o} * per_group + c % per_group) * window.kernel_h + l) * window.kernel_w + k;
}

bool SimdConv::inside(std::size_t channel, const Tap& tap, int y, int x) const {
  if (copies()) return true;  // the client has put zeros there
  const auto phase = static_cast<int>(channel % static_cast<std::size_t>(phases_h_ * phases_w_));
  const int row = (y + tap.row) * phases_h_ + phase / phases_w_;
  const int column = (x + tap.column) * phases_w_ + phase % phases_w_;
  return row >= 0 && row < geometry_.in.h && column >= 0 && column < geometry_.in.w;
}

void SimdConv::encode_weights(std::size_t index, std::span<const std::int16_t> weights, std::uint64_t p,
                              std::span<std::uint64_t> slots) const {
  AP_ASSERT(index < weight_plaintexts() && slots.size() == n_ &&
            weights.size() == static_cast<std::size_t>(geometry_.weight_count()));
  std::fill(slots.begin(), slots.end(), 0);
  const ring::Modulus modulus(p);
  const std::size_t half = channels_ / 2;
  const Tap& tap = taps_[index % taps()];
  const std::size_t diagonal = diagonals_[index / taps()];
  const std::size_t in = diagonal % groups_in_, shift = diagonal / groups_in_ % half;
  const std::size_t swap = diagonal / groups_in_ / half % 2, out = diagonal / groups_in_ / half / 2;
  const nn::Shape shape = geometry_.out();
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t place = 0; place < half; ++place) {
      // The factor is applied where the input channel lies, before the rotation to the output channel, except
      // for input rotations: there it already lies where the output will.
      std::size_t source = row * half + place, target = (row ^ swap) * half + (place + half - shift) % half;
      if (method_ == SimdConvMethod::input_rotation) {
        target = row * half + place;
        source = (row ^ swap) * half + (place + shift) % half;
      }
      const std::size_t channel = in * channels_ + source;
      const std::int64_t at = weight_at(out * channels_ + target, channel, tap);
      if (at < 0) continue;
      const std::uint64_t value = modulus.reduce_signed(weights[static_cast<std::size_t>(at)]);
      for (int y = 0; y < shape.h; ++y) {
        for (int x = 0; x < shape.w; ++x) {
          if (!inside(channel, tap, y, x)) continue;
          slots[(row * half + place) * span_ + static_cast<std::size_t>(y * pitch_ + x)] = value;
        }
      }
    }
  }
}

std::vector<OutputPosition> SimdConv::reads(std::size_t reply) const {
  const nn::Shape out = geometry_.out();
  std::vector<OutputPosition> reads;
  for (std::size_t place = 0; place < channels_; ++place) {
    const std::size_t channel = reply * channels_ + place;
    if (channel >= static_cast<std::size_t>(out.c)) break;
    for (int y = 0; y < out.h; ++y) {
      for (int x = 0; x < out.w; ++x) {
        const std::size_t slot = place * span_ + static_cast<std::size_t>(y * pitch_ + x);
        const auto output = (static_cast<std::int64_t>(channel) * out.h + y) * out.w + x;
        reads.push_back({static_cast<std::uint32_t>(slot), static_cast<std::uint32_t>(output)});
      }
    }
  }
  return reads;
}

}  // namespace ap::linear
