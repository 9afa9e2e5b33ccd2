#include "layers/linear/coefficient/layout.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "base/error.h"
#include "he/bfv/scheme.h"

namespace ap::linear {
namespace {

// The slots of so many groups span 3^12 > 2^19 blocks: no ring holds more.
constexpr int kMaxGroupsTogether = 4096;

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// One of the two spatial axes.
struct Axis {
  int size, pad_before, stride, kernel, phases;  // phases = 1 keeps the stride
  int reduced_size, reduced_kernel, reduced_stride;
  int out;
};

Axis axis(int size, int pad_before, int stride, int kernel, int out, bool phases) {
  Axis a{size, pad_before, stride, kernel, 1, 0, kernel, stride, out};
  if (phases) {
    // Phases that no kernel element touches (a 1x1 kernel of stride 2 has three of them) vanish.
    a.phases = std::min(stride, kernel);
    a.reduced_kernel = static_cast<int>(ceil_div(kernel, stride));
    a.reduced_stride = 1;
  }
  a.reduced_size = (out - 1) * a.reduced_stride + a.reduced_kernel;
  return a;
}

Axis rows(const Geometry& g, bool phases) {
  const nn::Window& w = g.window;
  return axis(g.in.h, w.pad.top, w.stride_h, w.kernel_h, g.out().h, phases);
}
Axis columns(const Geometry& g, bool phases) {
  const nn::Window& w = g.window;
  return axis(g.in.w, w.pad.left, w.stride_w, w.kernel_w, g.out().w, phases);
}

// Input coordinate of element `i` of a phase, or -1 in the padding.
int source(const Axis& a, int phase, int i) {
  const int step = a.reduced_stride == a.stride ? 1 : a.stride;
  const int at = i * step + phase - a.pad_before;
  return at < 0 || at >= a.size || i >= a.reduced_size ? -1 : at;
}

// Zeros that every window of every phase has before and after its data.
std::pair<int, int> common_margins(const Axis& a, int window, int windows, int step) {
  int before = window - 1, after = window - 1;
  for (int block = 0; block < windows; ++block) {
    for (int phase = 0; phase < a.phases; ++phase) {
      int first = 0, last = window - 1;
      while (first < window && source(a, phase, block * step + first) < 0) ++first;
      while (last >= 0 && source(a, phase, block * step + last) < 0) --last;
      before = std::min(before, first);
      after = std::min(after, window - 1 - last);
    }
  }
  return {before, after};
}

// Everything that positions depend on.
struct Placement {
  int rows_out, cols_out, blocks_h, blocks_w;
  std::int64_t row_pitch, channel_pitch, lead;
};

Placement place(const Geometry& g, const Packing& p) {
  const Axis y = rows(g, p.phases), x = columns(g, p.phases);
  Placement at{};
  at.rows_out = (p.window_h - y.reduced_kernel) / y.reduced_stride + 1;
  at.cols_out = (p.window_w - x.reduced_kernel) / x.reduced_stride + 1;
  at.blocks_h = static_cast<int>(ceil_div(y.out, at.rows_out));
  at.blocks_w = static_cast<int>(ceil_div(x.out, at.cols_out));
  const auto [top, bottom] = common_margins(y, p.window_h, at.blocks_h, at.rows_out * y.reduced_stride);
  const auto [left, right] = common_margins(x, p.window_w, at.blocks_w, at.cols_out * x.reduced_stride);
  // Rows overlap in zeros only, and never so far that two outputs would share a coefficient.
  at.row_pitch = p.window_w - std::min({left, right, x.reduced_kernel - 1});
  const std::int64_t extent = (p.window_h - 1) * at.row_pitch + p.window_w;
  // No read position may become negative, so no more than the kernel's own reach is left out.
  at.lead = std::min(top * at.row_pitch + left, (y.reduced_kernel - 1) * at.row_pitch + x.reduced_kernel - 1);
  const std::int64_t end = extent - bottom * at.row_pitch - right;
  at.channel_pitch = std::max({end, extent - at.lead, std::int64_t{1}});
  return at;
}

void check_packing(const Geometry& g, const Packing& p) {
  const ReducedMap map = reduce(g, p.phases);
  const bool fits = p.window_h >= map.kernel_h && p.window_h <= map.h && p.window_w >= map.kernel_w &&
                    p.window_w <= map.w && p.channels_in >= 1 && p.channels_in <= map.channels_in &&
                    p.channels_out >= 1 && p.channels_out <= map.channels_out && p.groups >= 1 &&
                    p.groups <= g.groups;
  if (!fits) {
    fail_input(
        "the packing {}x{} of {} to {} channels, {} groups, does not fit a layer of {}x{} with kernel {}x{}, "
        "{} to {} channels and {} groups; choose it with choose_packing",
        p.window_h, p.window_w, p.channels_in, p.channels_out, p.groups, map.h, map.w, map.kernel_h,
        map.kernel_w, map.channels_in, map.channels_out, g.groups);
  }
}

}  // namespace

ReducedMap reduce(const Geometry& g, bool phases) {
  const Axis y = rows(g, phases), x = columns(g, phases);
  return {.h = y.reduced_size,
          .w = x.reduced_size,
          .kernel_h = y.reduced_kernel,
          .kernel_w = x.reduced_kernel,
          .stride_h = y.reduced_stride,
          .stride_w = x.reduced_stride,
          .phases_h = y.phases,
          .phases_w = x.phases,
          .channels_in = g.in.c / g.groups * y.phases * x.phases,
          .channels_out = g.c_out / g.groups};
}

std::uint64_t Layout::reads_of_a_weight() const {
  std::map<std::size_t, std::uint64_t> by_polynomial;
  for (std::size_t reply = 0; reply < replies(); ++reply)
    by_polynomial[first_weight(reply)] += reads(reply).size();
  std::uint64_t most = 0;
  for (const auto& [polynomial, count] : by_polynomial) most = std::max(most, count);
  return most;
}

std::vector<int> progression_free(int count) {
  // Shortest such sets; the greedy set continues them (its members are the numbers without a digit 2 in base
  // 3).
  static constexpr std::array<std::array<int, 5>, 6> kShortest = {
      {{}, {0}, {0, 1}, {0, 1, 3}, {0, 1, 3, 4}, {0, 1, 3, 7, 8}}};
  if (count <= 5) {
    const auto& set = kShortest[static_cast<std::size_t>(std::max(count, 0))];
    return {set.begin(), set.begin() + std::max(count, 0)};
  }
  std::vector<int> set;
  for (int i = 0; i < count; ++i) {
    int value = 0, place_value = 1;
    for (int bits = i; bits != 0; bits >>= 1, place_value *= 3) value += (bits & 1) * place_value;
    set.push_back(value);
  }
  return set;
}

std::int64_t coefficients_needed(const Geometry& g, const Packing& p) {
  check(g);
  check_packing(g, p);
  if (p.groups > kMaxGroupsTogether) return std::numeric_limits<std::int64_t>::max();
  const ReducedMap map = reduce(g, p.phases);
  const Placement at = place(g, p);
  const std::int64_t block = at.channel_pitch * p.channels_in * p.channels_out;
  const std::int64_t slot = p.groups == 1 ? 0 : progression_free(p.groups).back();
  // The second term matters for kernels larger than their input only.
  return std::max((2 * slot + 1) * block,
                  (slot + 1) * block - at.channel_pitch + (map.kernel_h - 1) * at.row_pitch + map.kernel_w);
}

std::int64_t channel_pitch(const Geometry& g, const Packing& p) {
  check(g);
  check_packing(g, p);
  return place(g, p).channel_pitch;
}

Counts counts(const Geometry& g, const Packing& p) {
  check(g);
  check_packing(g, p);
  const ReducedMap map = reduce(g, p.phases);
  const std::int64_t rows_out = (p.window_h - map.kernel_h) / map.stride_h + 1;
  const std::int64_t cols_out = (p.window_w - map.kernel_w) / map.stride_w + 1;
  const std::int64_t windows = ceil_div(g.out().h, rows_out) * ceil_div(g.out().w, cols_out);
  const std::int64_t groups = ceil_div(g.groups, p.groups);
  const std::int64_t blocks_c = ceil_div(map.channels_in, p.channels_in);
  const std::int64_t blocks_m = ceil_div(map.channels_out, p.channels_out);
  return {.uploads = groups * windows * blocks_c,
          .replies = groups * windows * blocks_m,
          .products = groups * windows * blocks_c * blocks_m,
          .weight_polynomials = groups * blocks_c * blocks_m};
}

Layout::Layout(const Geometry& geometry, const Packing& packing, std::uint32_t n)
    : geometry_(geometry), packing_(packing), n_(n) {
  const std::int64_t needed = coefficients_needed(geometry, packing);
  if (needed > n) {
    fail_input("the packing {}x{} of {} to {} channels needs {} coefficients, but the ring degree is {}",
               packing.window_h, packing.window_w, packing.channels_in, packing.channels_out, needed, n);
  }
  map_ = reduce(geometry, packing.phases);
  counts_ = linear::counts(geometry, packing);
  const Placement at = place(geometry, packing);
  blocks_g_ = static_cast<int>(ceil_div(geometry.groups, packing.groups));
  blocks_c_ = static_cast<int>(ceil_div(map_.channels_in, packing.channels_in));
  blocks_m_ = static_cast<int>(ceil_div(map_.channels_out, packing.channels_out));
  blocks_h_ = at.blocks_h;
  blocks_w_ = at.blocks_w;
  rows_out_ = at.rows_out;
  cols_out_ = at.cols_out;
  row_pitch_ = at.row_pitch;
  channel_pitch_ = at.channel_pitch;
  group_pitch_ = channel_pitch_ * packing.channels_in * packing.channels_out;
  lead_ = at.lead;
  origin_ = (std::int64_t{packing.channels_out} * packing.channels_in - 1) * channel_pitch_ +
            (map_.kernel_h - 1) * row_pitch_ + map_.kernel_w - 1;
  group_slot_ = progression_free(packing.groups);
}

std::size_t Layout::first_upload(std::size_t reply) const {
  return reply / static_cast<std::size_t>(blocks_m_) * static_cast<std::size_t>(blocks_c_);
}

std::size_t Layout::first_weight(std::size_t reply) const {
  const std::size_t m = reply % static_cast<std::size_t>(blocks_m_);
  const std::size_t group = reply / static_cast<std::size_t>(blocks_m_ * blocks_h_ * blocks_w_);
  return (group * static_cast<std::size_t>(blocks_m_) + m) * static_cast<std::size_t>(blocks_c_);
}

void Layout::encode_input(std::size_t upload, std::span<const std::uint64_t> tensor,
                          std::span<std::uint64_t> coefficients) const {
  AP_ASSERT(upload < uploads() && tensor.size() == static_cast<std::size_t>(geometry_.in.size()) &&
            coefficients.size() == n_);
  std::fill(coefficients.begin(), coefficients.end(), 0);
  const Axis ay = rows(geometry_, packing_.phases), ax = columns(geometry_, packing_.phases);
  int rest = static_cast<int>(upload);
  const int block_c = rest % blocks_c_;
  rest /= blocks_c_;
  const int x0 = rest % blocks_w_ * cols_out_ * map_.stride_w;
  rest /= blocks_w_;
  const int y0 = rest % blocks_h_ * rows_out_ * map_.stride_h;
  const int block_g = rest / blocks_h_;
  const int c_group = geometry_.in.c / geometry_.groups;

  for (int gi = 0; gi < packing_.groups; ++gi) {
    const int group = block_g * packing_.groups + gi;
    if (group >= geometry_.groups) break;
    for (int ci = 0; ci < packing_.channels_in; ++ci) {
      const int c = block_c * packing_.channels_in + ci;
      if (c >= map_.channels_in) break;
      const int phase = c % (map_.phases_h * map_.phases_w);
      const std::int64_t channel = group * c_group + c / (map_.phases_h * map_.phases_w);
      const std::int64_t base =
          group_slot_[static_cast<std::size_t>(gi)] * group_pitch_ + ci * channel_pitch_ - lead_;
      for (int i = 0; i < packing_.window_h; ++i) {
        const int y = source(ay, phase / map_.phases_w, y0 + i);
        if (y < 0) continue;
        for (int j = 0; j < packing_.window_w; ++j) {
          const int x = source(ax, phase % map_.phases_w, x0 + j);
          if (x < 0) continue;
          coefficients[static_cast<std::size_t>(base + i * row_pitch_ + j)] =
              tensor[static_cast<std::size_t>((channel * geometry_.in.h + y) * geometry_.in.w + x)];
        }
      }
    }
  }
}

template <typename Put>
void Layout::each_weight(std::size_t index, const Put& put) const {
  AP_ASSERT(index < weight_polynomials());
  const nn::Window& w = geometry_.window;
  const int step_h = map_.stride_h == w.stride_h ? 1 : w.stride_h;
  const int step_w = map_.stride_w == w.stride_w ? 1 : w.stride_w;
  int rest = static_cast<int>(index);
  const int block_c = rest % blocks_c_;
  rest /= blocks_c_;
  const int block_m = rest % blocks_m_;
  const int block_g = rest / blocks_m_;
  const int c_group = geometry_.in.c / geometry_.groups;

  for (int gi = 0; gi < packing_.groups; ++gi) {
    const int group = block_g * packing_.groups + gi;
    if (group >= geometry_.groups) break;
    for (int mi = 0; mi < packing_.channels_out; ++mi) {
      const int m = block_m * packing_.channels_out + mi;
      if (m >= map_.channels_out) break;
      const std::int64_t output = std::int64_t{group} * map_.channels_out + m;
      for (int ci = 0; ci < packing_.channels_in; ++ci) {
        const int c = block_c * packing_.channels_in + ci;
        if (c >= map_.channels_in) break;
        const int phase = c % (map_.phases_h * map_.phases_w);
        const std::int64_t channel = output * c_group + c / (map_.phases_h * map_.phases_w);
        const std::int64_t top = group_slot_[static_cast<std::size_t>(gi)] * group_pitch_ + origin_ -
                                 (std::int64_t{mi} * packing_.channels_in + ci) * channel_pitch_;
        for (int l = 0; l < map_.kernel_h; ++l) {
          const int ky = l * step_h + phase / map_.phases_w;
          for (int k = 0; k < map_.kernel_w; ++k) {
            const int kx = k * step_w + phase % map_.phases_w;
            if (ky >= w.kernel_h || kx >= w.kernel_w) continue;
            put(static_cast<std::size_t>(top - l * row_pitch_ - k),
                static_cast<std::size_t>((channel * w.kernel_h + ky) * w.kernel_w + kx));
          }
        }
      }
    }
  }
}

void Layout::encode_weights(std::size_t index, std::span<const std::int16_t> weights,
                            std::span<std::int32_t> coefficients) const {
  AP_ASSERT(weights.size() == static_cast<std::size_t>(geometry_.weight_count()) &&
            coefficients.size() == n_);
  std::fill(coefficients.begin(), coefficients.end(), 0);
  // += because in maps narrower than the kernel two weights can meet at one coefficient; at each such place the tensor
  // is zero padding for both.
  each_weight(index, [&](std::size_t at, std::size_t weight) { coefficients[at] += weights[weight]; });
}

void Layout::list_weights(std::size_t index, std::span<const std::int16_t> weights,
                          std::vector<bfv::Term>& terms) const {
  AP_ASSERT(weights.size() == static_cast<std::size_t>(geometry_.weight_count()));
  terms.clear();
  each_weight(index, [&](std::size_t at, std::size_t weight) {
    terms.push_back({static_cast<std::uint32_t>(at), weights[weight]});
  });
}

std::vector<OutputPosition> Layout::reads(std::size_t reply) const {
  AP_ASSERT(reply < replies());
  int rest = static_cast<int>(reply);
  const int block_m = rest % blocks_m_;
  rest /= blocks_m_;
  const int x0 = rest % blocks_w_ * cols_out_;
  rest /= blocks_w_;
  const int y0 = rest % blocks_h_ * rows_out_;
  const int block_g = rest / blocks_h_;
  const nn::Shape out = geometry_.out();

  std::vector<OutputPosition> reads;
  for (int gi = 0; gi < packing_.groups; ++gi) {
    const int group = block_g * packing_.groups + gi;
    if (group >= geometry_.groups) break;
    for (int mi = packing_.channels_out - 1; mi >= 0; --mi) {
      const int m = block_m * packing_.channels_out + mi;
      if (m >= map_.channels_out) continue;
      const std::int64_t channel = std::int64_t{group} * map_.channels_out + m;
      const std::int64_t base = 2 * group_slot_[static_cast<std::size_t>(gi)] * group_pitch_ + origin_ -
                                lead_ - std::int64_t{mi} * packing_.channels_in * channel_pitch_;
      for (int i = 0; i < rows_out_ && y0 + i < out.h; ++i) {
        for (int j = 0; j < cols_out_ && x0 + j < out.w; ++j) {
          reads.push_back(
              {static_cast<std::uint32_t>(base + i * map_.stride_h * row_pitch_ + j * map_.stride_w),
               static_cast<std::uint32_t>((channel * out.h + y0 + i) * out.w + x0 + j)});
        }
      }
    }
  }
  std::sort(reads.begin(), reads.end(),
            [](OutputPosition a, OutputPosition b) { return a.position < b.position; });
  return reads;
}

}  // namespace ap::linear
