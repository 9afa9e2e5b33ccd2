#include "nn/execute/integer_executor_linear.h"

#include <algorithm>
#include <cstring>

namespace ap::nn {
namespace {

std::size_t index(int i) { return static_cast<std::size_t>(i); }
int ceil_div(int a, int b) { return (a + b - 1) / b; }

std::int32_t pair(std::int32_t first, std::int32_t second) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(first) & 0xffffU) |
                                   (static_cast<std::uint32_t>(second) << 16));
}

}  // namespace

/// What one thread reuses from call to call.
struct LinearKernel::Workspace {
  AlignedVector<std::int32_t> image, flat, bias, row, zeros;

  static Workspace& mine() {
    thread_local Workspace workspace;
    return workspace;
  }
  static std::int32_t* sized(AlignedVector<std::int32_t>& buffer, std::size_t size) {
    if (buffer.size() < size) buffer.resize(size);
    return buffer.data();
  }
};

LinearKernel::LinearKernel(const QLinear& op, const Shape& out_shape, const ExecutorKernels& kernels)
    : op_(&op),
      kernels_(&kernels),
      out_(out_shape),
      group_inputs_(op.in_shape.c / op.groups),
      group_outputs_(out_.c / op.groups),
      single_position_(out_.h == 1 && out_.w == 1) {
  if (single_position_) {
    plan_single_position();
  } else {
    plan_positions();
  }
}

void LinearKernel::plan_positions() {
  const QLinear& op = *op_;
  const Window& w = op.window;
  phases_h_ = std::min(w.stride_h, w.kernel_h);
  phases_w_ = std::min(w.stride_w, w.kernel_w);
  rows_ = ceil_div(op.in_shape.h + w.pad.top + w.pad.bottom, w.stride_h);
  // The padding after one row may be that before the next one.
  pitch_ = w.stride_w == 1 ? std::max(op.in_shape.w + std::max(w.pad.left, w.pad.right), out_.w)
                           : ceil_div(op.in_shape.w + w.pad.left + w.pad.right, w.stride_w);
  vectors_ = ceil_div((out_.h - 1) * pitch_ + out_.w, kPositions);
  paired_rows_ = group_inputs_ == 1;
  pairs_ = paired_rows_ ? 1 : ceil_div(group_inputs_, 2);

  std::vector<Tap> taps;
  const int window = w.kernel_h * w.kernel_w;
  for (int p = 0; p < pairs_; ++p) {
    for (int y = 0; y < w.kernel_h; ++y) {
      if (paired_rows_ && y / w.stride_h % 2 == 1) continue;  // came with the row before
      for (int x = 0; x < w.kernel_w; ++x) {
        const int phase = y % w.stride_h * phases_w_ + x % w.stride_w;
        offsets_.push_back(((p * phases_h_ * phases_w_ + phase) * rows_ + y / w.stride_h) * pitch_ +
                           x / w.stride_w);
        const int first = 2 * p * window + y * w.kernel_w + x;
        if (paired_rows_) {
          taps.push_back({first, y + w.stride_h < w.kernel_h ? first + w.stride_h * w.kernel_w : -1});
        } else {
          taps.push_back({first, 2 * p + 1 < group_inputs_ ? first + window : -1});
        }
      }
    }
  }
  pack_weights(taps);
}

void LinearKernel::pack_weights(std::span<const Tap> taps) {
  const std::size_t depth = op_->weights.size() / index(out_.c);
  packed_.reserve(index(out_.c) * taps.size());
  for (int g = 0; g < op_->groups; ++g) {
    for (int row = 0; row < group_outputs_;) {
      const int block = row_block(group_outputs_ - row);
      for (const Tap& tap : taps) {
        for (int r = 0; r < block; ++r) {
          const std::int16_t* weights = op_->weights.data() + index(g * group_outputs_ + row + r) * depth;
          packed_.push_back(pair(weights[tap.first], tap.second < 0 ? 0 : weights[tap.second]));
        }
      }
      row += block;
    }
  }
}

void LinearKernel::plan_single_position() {
  const QLinear& op = *op_;
  const Window& w = op.window;
  for (int c = 0; c < group_inputs_; ++c) {
    for (int y = 0; y < w.kernel_h; ++y) {
      for (int x = 0; x < w.kernel_w; ++x) {
        const int iy = y - w.pad.top, ix = x - w.pad.left;
        const bool inside = iy >= 0 && iy < op.in_shape.h && ix >= 0 && ix < op.in_shape.w;
        column_.push_back(inside ? (c * op.in_shape.h + iy) * op.in_shape.w + ix : -1);
      }
    }
  }
  const std::size_t depth = column_.size();
  pairs_ = static_cast<int>((depth + 1) / 2);
  vectors_ = ceil_div(group_outputs_, kPositions);
  const std::size_t width = index(vectors_) * kPositions;
  packed_.assign(index(op.groups) * index(pairs_) * width, 0);
  for (int o = 0; o < out_.c; ++o) {
    const std::int16_t* weights = op.weights.data() + index(o) * depth;
    std::int32_t* to =
        packed_.data() + index(o / group_outputs_) * index(pairs_) * width + index(o % group_outputs_);
    for (std::size_t k = 0; k < depth; k += 2, to += width) {
      *to = pair(weights[k], k + 1 < depth ? weights[k + 1] : 0);
    }
  }
  for (int k = 0; k < pairs_; ++k) offsets_.push_back(static_cast<std::int32_t>(index(k) * width));
}

void LinearKernel::run(std::span<const std::int32_t> in, std::span<std::int32_t> out) const {
  Workspace& work = Workspace::mine();
  const bool narrow = single_position_ ? run_single_position(in.data(), out.data(), work)
                                       : run_positions(in.data(), out.data(), work);
  if (!narrow) run_wide(in, out);
}

bool LinearKernel::run_positions(const std::int32_t* in, std::int32_t* out, Workspace& work) const {
  const std::size_t flat_row = index(vectors_) * kPositions, positions = index(out_.h) * index(out_.w);
  const std::size_t size = index(pairs_ * phases_h_ * phases_w_) * index(rows_) * index(pitch_);
  std::int32_t* const end = out + index(out_.c) * positions;
  const std::size_t readable = size + 2 * kPositions + index(op_->window.kernel_w);
  // All groups write the same elements, so the padding stays zero. The last vector reads past the image.
  std::fill_n(Workspace::sized(work.image, readable), readable, 0);
  Workspace::sized(work.bias, index(out_.c));
  for (std::size_t o = 0; o < index(out_.c); ++o) {
    work.bias[o] = static_cast<std::int32_t>(static_cast<std::uint32_t>(op_->bias[o]));
  }
  const bool direct = pitch_ == out_.w && positions == flat_row;
  PairConvolution c{packed_.data(),    offsets_.data(),  static_cast<int>(offsets_.size()),
                    work.image.data(), work.bias.data(), group_outputs_,
                    vectors_,          nullptr,          flat_row};
  if (!direct) c.out = Workspace::sized(work.flat, index(group_outputs_) * flat_row + kPositions);
  for (int g = 0; g < op_->groups; ++g) {
    if (!pack_group(in, work)) return false;
    if (direct) c.out = out;
    kernels_->convolve(c);
    if (!direct) unpack(work.flat.data(), out, end);
    in += index(group_inputs_) * index(op_->in_shape.h) * index(op_->in_shape.w);
    out += index(group_outputs_) * positions;
    c.weights += index(group_outputs_) * offsets_.size();
    c.bias += group_outputs_;
  }
  return true;
}

bool LinearKernel::pack_group(const std::int32_t* in, Workspace& work) const {
  const Shape& shape = op_->in_shape;
  const Window& w = op_->window;
  const std::size_t width = index(shape.w), channel = index(shape.h) * width;
  if (work.zeros.size() < width) work.zeros.resize(width, 0);
  Workspace::sized(work.row, width);
  bool narrow = true;
  std::int32_t* image = work.image.data();
  for (int p = 0; p < pairs_; ++p) {
    for (int phase = 0; phase < phases_h_; ++phase) {
      for (int row = 0; row < rows_; ++row) {
        // Row `row` of this phase of the padded image, and what it is paired with.
        const int y = row * w.stride_h + phase - w.pad.top, below = y + w.stride_h;
        const bool exists = y >= 0 && y < shape.h;
        const std::int32_t* first =
            exists ? in + index(2 * p) * channel + index(y) * width : work.zeros.data();
        const std::int32_t* second = work.zeros.data();
        if (paired_rows_) {
          const bool pairs = below >= 0 && below < shape.h;
          if (!exists && !pairs) continue;
          if (pairs) second = in + index(below) * width;
        } else {
          if (!exists) continue;
          if (2 * p + 1 < group_inputs_) second = first + channel;
        }
        if (w.stride_w == 1) {
          std::int32_t* to = image + index(phase * rows_ + row) * index(pitch_) + index(w.pad.left);
          narrow &= kernels_->pack_pairs(first, second, width, to);
          continue;
        }
        narrow &= kernels_->pack_pairs(first, second, width, work.row.data());
        for (int b = 0; b < phases_w_; ++b) {
          const int skipped = std::max(0, ceil_div(w.pad.left - b, w.stride_w));
          const int x = skipped * w.stride_w + b - w.pad.left;
          if (x >= shape.w) continue;
          std::int32_t* to =
              image + index((phase * phases_w_ + b) * rows_ + row) * index(pitch_) + index(skipped);
          kernels_->pick(work.row.data() + x, index(w.stride_w), index(ceil_div(shape.w - x, w.stride_w)),
                         to);
        }
      }
    }
    image += index(phases_h_ * phases_w_ * rows_) * index(pitch_);
  }
  return narrow;
}

/// Copies the rows of all outputs of a group, without what lies between them. Writes whole vectors: what
/// comes after a row is written later, up to `end`.
void LinearKernel::unpack(const std::int32_t* flat, std::int32_t* out, std::int32_t* end) const {
  const int chunks = ceil_div(out_.w, kPositions);
  for (int o = 0; o < group_outputs_; ++o, flat += index(vectors_) * kPositions) {
    for (int y = 0; y < out_.h; ++y, out += out_.w) {
      const std::int32_t* from = flat + index(y) * index(pitch_);
      if (end - out < chunks * kPositions) {
        std::memcpy(out, from, index(out_.w) * sizeof *out);
        continue;
      }
      for (int i = 0; i < chunks * kPositions; i += kPositions) {
        std::memcpy(out + i, from + i, kPositions * sizeof *out);
      }
    }
  }
}

bool LinearKernel::run_single_position(const std::int32_t* in, std::int32_t* out, Workspace& work) const {
  const std::size_t depth = column_.size(), width = index(vectors_) * kPositions;
  std::int32_t* column = Workspace::sized(work.row, 2 * index(pairs_));
  std::int32_t* pairs = Workspace::sized(work.image, index(pairs_));
  std::int32_t* sums = Workspace::sized(work.flat, width);
  const std::int32_t zero = 0;
  for (int g = 0; g < op_->groups; ++g) {
    const std::int32_t* group =
        in + index(g * group_inputs_) * index(op_->in_shape.h) * index(op_->in_shape.w);
    column[2 * pairs_ - 1] = 0;
    for (std::size_t k = 0; k < depth; ++k) column[k] = column_[k] < 0 ? 0 : group[column_[k]];
    std::uint32_t beyond = 0;
    for (std::size_t k = 0; k < 2 * index(pairs_); ++k)
      beyond |= (static_cast<std::uint32_t>(column[k]) + 0x8000U) >> 16;
    if (beyond != 0) return false;
    for (std::size_t k = 0; k < index(pairs_); ++k) pairs[k] = pair(column[2 * k], column[2 * k + 1]);
    // Inputs take the part of weights here: a product does not care.
    kernels_->convolve({pairs, offsets_.data(), pairs_, packed_.data() + index(g * pairs_) * width, &zero, 1,
                        vectors_, sums, width});
    for (int o = 0; o < group_outputs_; ++o) {
      const auto bias = static_cast<std::uint32_t>(op_->bias[index(g * group_outputs_ + o)]);
      *out++ = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[o]) + bias);
    }
  }
  return true;
}

void LinearKernel::run_wide(std::span<const std::int32_t> in, std::span<std::int32_t> out) const {
  const QLinear& op = *op_;
  const Window& w = op.window;
  const int group_inputs = op.in_shape.c / op.groups, group_outputs = out_.c / op.groups;
  std::int32_t* to = out.data();
  for (int o = 0; o < out_.c; ++o) {
    for (int y = 0; y < out_.h; ++y) {
      for (int x = 0; x < out_.w; ++x) {
        auto sum = static_cast<std::uint64_t>(op.bias[index(o)]);
        for (int c = 0; c < group_inputs; ++c) {
          for (int ky = 0; ky < w.kernel_h; ++ky) {
            const int iy = y * w.stride_h + ky - w.pad.top;
            for (int kx = 0; kx < w.kernel_w; ++kx) {
              const int ix = x * w.stride_w + kx - w.pad.left;
              if (iy < 0 || iy >= op.in_shape.h || ix < 0 || ix >= op.in_shape.w) continue;
              const int channel = o / group_outputs * group_inputs + c;
              const std::int64_t weight =
                  op.weights[(index(o) * index(group_inputs) + index(c)) * index(w.kernel_h * w.kernel_w) +
                             index(ky * w.kernel_w + kx)];
              sum += static_cast<std::uint64_t>(
                  weight *
                  in[(index(channel) * index(op.in_shape.h) + index(iy)) * index(op.in_shape.w) + index(ix)]);
            }
          }
        }
        *to++ = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
      }
    }
  }
}

}  // namespace ap::nn
