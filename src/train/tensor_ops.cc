#include "train/tensor_ops.h"

#include <limits>

namespace ap::train {

GatherIndex::GatherIndex(const std::vector<std::int32_t>& index) {
  const auto count = static_cast<std::int64_t>(index.size());
  places = at::empty({count}, at::kLong);
  bool all = true;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t from = index[static_cast<std::size_t>(i)];
    places.data_ptr<std::int64_t>()[i] = from < 0 ? 0 : from;
    all = all && from >= 0;
  }
  if (all) return;
  mask = at::empty({count});
  for (std::int64_t i = 0; i < count; ++i) {
    mask.data_ptr<float>()[i] = index[static_cast<std::size_t>(i)] < 0 ? 0.0F : 1.0F;
  }
}

at::Tensor padded(const at::Tensor& x, const nn::Padding& pad, double value) {
  if (pad == nn::Padding{}) return x;
  return at::constant_pad_nd(x, {pad.left, pad.right, pad.top, pad.bottom}, value);
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weights, const at::Tensor& bias,
                    const nn::Window& window, int groups) {
  const nn::Padding& pad = window.pad;
  const bool even = pad.top == pad.bottom && pad.left == pad.right;
  const at::Tensor in = even ? x : padded(x, pad, 0);
  const std::vector<std::int64_t> stride = {window.stride_h, window.stride_w}, one = {1, 1},
                                  around = even ? std::vector<std::int64_t>{pad.top, pad.left}
                                                : std::vector<std::int64_t>{0, 0};
  return at::conv2d(in, weights, bias, stride, around, one, groups);
}

at::Tensor max_pool(const at::Tensor& x, const nn::Window& window) {
  return at::max_pool2d(padded(x, window.pad, -std::numeric_limits<double>::infinity()),
                        {window.kernel_h, window.kernel_w}, {window.stride_h, window.stride_w});
}

at::Tensor sum_pool(const at::Tensor& x, const nn::Window& window, std::int64_t divisor) {
  return at::avg_pool2d(padded(x, window.pad, 0), {window.kernel_h, window.kernel_w},
                        {window.stride_h, window.stride_w}, {0, 0}, false, true, divisor);
}

at::Tensor gather(const at::Tensor& x, const GatherIndex& index, const nn::Shape& out) {
  at::Tensor values = x.flatten(1).index_select(1, index.places);
  if (index.mask.defined()) values = values * index.mask;
  return values.view({x.size(0), out.c, out.h, out.w});
}

at::Tensor straight_through(const at::Tensor& x, const at::Tensor& forward) {
  // x - x is exactly 0, so that the value is exactly `forward`.
  return x - x.detach() + forward.detach();
}

}  // namespace ap::train
