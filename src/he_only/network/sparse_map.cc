#include "he_only/network/sparse_map.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/ir/window_visit.h"

namespace ap::he_only {
namespace {

void check_entries(std::size_t entries) {
  if (entries > kMaxMapEntries) {
    fail_input(
        "a linear layer has {} products, more than the {} that homomorphic encryption alone takes on; use "
        "--protocol hybrid",
        entries, kMaxMapEntries);
  }
}

// Entries of one row, in any order and with repetitions, made a row.
void append_row(SparseMap& map, std::vector<std::pair<std::uint32_t, float>>& row) {
  std::ranges::sort(row, {}, &std::pair<std::uint32_t, float>::first);
  for (const auto& [column, weight] : row) {
    if (map.column.size() > map.first.back() && map.column.back() == column) {
      map.weight.back() += weight;
    } else {
      map.column.push_back(column);
      map.weight.push_back(weight);
    }
  }
  check_entries(map.column.size());
  map.first.push_back(map.column.size());
}

bool is_identity(const SparseMap& map) {
  if (map.rows() != map.columns || map.entries() != map.columns) return false;
  for (std::size_t i = 0; i < map.columns; ++i) {
    if (map.first[i] != i || map.column[i] != i || map.weight[i] != 1) return false;
  }
  return true;
}

}  // namespace

SparseMap identity_map(std::size_t size) {
  SparseMap map{size, std::vector<std::size_t>(size + 1), std::vector<std::uint32_t>(size),
                std::vector<float>(size, 1)};
  std::iota(map.first.begin(), map.first.end(), std::size_t{0});
  std::iota(map.column.begin(), map.column.end(), 0U);
  return map;
}

SparseMap convolution_map(const nn::ConvOp& op, const nn::Shape& in, const nn::Shape& out) {
  const nn::Window& w = op.window;
  const int c_in = in.c / op.groups, c_out = out.c / op.groups;
  SparseMap map;
  map.columns = static_cast<std::size_t>(in.size());
  map.first = {0};
  check_entries(static_cast<std::size_t>(out.size()) *
                static_cast<std::size_t>(c_in * w.kernel_h * w.kernel_w));
  for (int o = 0; o < out.c; ++o) {
    const float* kernel = op.weights.data() + std::ptrdiff_t{o} * c_in * w.kernel_h * w.kernel_w;
    for (int y = 0; y < out.h; ++y) {
      for (int x = 0; x < out.w; ++x) {
        for (int c = 0; c < c_in; ++c) {
          const int channel = o / c_out * c_in + c;
          for (int ky = 0; ky < w.kernel_h; ++ky) {
            const int iy = y * w.stride_h - w.pad.top + ky;
            if (iy < 0 || iy >= in.h) continue;
            for (int kx = 0; kx < w.kernel_w; ++kx) {
              const int ix = x * w.stride_w - w.pad.left + kx;
              const float weight = kernel[(c * w.kernel_h + ky) * w.kernel_w + kx];
              if (ix < 0 || ix >= in.w || weight == 0) continue;
              map.column.push_back(static_cast<std::uint32_t>((channel * in.h + iy) * in.w + ix));
              map.weight.push_back(weight);
            }
          }
        }
        map.first.push_back(map.column.size());
      }
    }
  }
  return map;
}

SparseMap fully_connected_map(const nn::FullyConnectedOp& op, std::size_t in) {
  SparseMap map;
  map.columns = in;
  map.first = {0};
  check_entries(op.weights.size());
  for (std::size_t row = 0; row < op.bias.size(); ++row) {
    for (std::size_t i = 0; i < in; ++i) {
      const float weight = op.weights[row * in + i];
      if (weight == 0) continue;
      map.column.push_back(static_cast<std::uint32_t>(i));
      map.weight.push_back(weight);
    }
    map.first.push_back(map.column.size());
  }
  return map;
}

SparseMap average_pool_map(const nn::AveragePoolOp& op, const nn::Shape& in, const nn::Shape& out) {
  std::vector<std::vector<std::uint32_t>> covered(static_cast<std::size_t>(out.size()));
  nn::for_each_in_window(op.window, in, out, [&](std::size_t position, std::size_t element) {
    covered[position].push_back(static_cast<std::uint32_t>(element));
  });
  const auto whole = static_cast<std::size_t>(op.window.kernel_h * op.window.kernel_w);
  SparseMap map;
  map.columns = static_cast<std::size_t>(in.size());
  map.first = {0};
  for (const std::vector<std::uint32_t>& elements : covered) {
    const std::size_t count = op.count_include_pad ? whole : std::max<std::size_t>(elements.size(), 1);
    map.column.insert(map.column.end(), elements.begin(), elements.end());
    map.weight.resize(map.column.size(), op.factor / static_cast<float>(count));
    map.first.push_back(map.column.size());
  }
  return map;
}

SparseMap gather_map(const nn::GatherOp& op, std::size_t in) {
  SparseMap map;
  map.columns = in;
  map.first = {0};
  for (const std::int32_t i : op.index) {
    if (i >= 0) {
      map.column.push_back(static_cast<std::uint32_t>(i));
      map.weight.push_back(1);
    }
    map.first.push_back(map.column.size());
  }
  return map;
}

SparseMap compose(const SparseMap& second, const SparseMap& first) {
  AP_ASSERT(second.columns == first.rows());
  if (is_identity(first)) return second;
  SparseMap map;
  map.columns = first.columns;
  map.first = {0};
  std::vector<std::pair<std::uint32_t, float>> row;
  for (std::size_t r = 0; r < second.rows(); ++r) {
    row.clear();
    for (std::size_t e = second.first[r]; e < second.first[r + 1]; ++e) {
      const std::size_t middle = second.column[e];
      for (std::size_t f = first.first[middle]; f < first.first[middle + 1]; ++f) {
        row.emplace_back(first.column[f], second.weight[e] * first.weight[f]);
      }
    }
    append_row(map, row);
  }
  return map;
}

SparseMap sum(const SparseMap& x, const SparseMap& y) {
  AP_ASSERT(x.columns == y.columns && x.rows() == y.rows());
  SparseMap map;
  map.columns = x.columns;
  map.first = {0};
  std::vector<std::pair<std::uint32_t, float>> row;
  for (std::size_t r = 0; r < x.rows(); ++r) {
    row.clear();
    for (const SparseMap* one : {&x, &y}) {
      for (std::size_t e = one->first[r]; e < one->first[r + 1]; ++e)
        row.emplace_back(one->column[e], one->weight[e]);
    }
    append_row(map, row);
  }
  return map;
}

SparseMap stack(const SparseMap& x, const SparseMap& y) {
  AP_ASSERT(x.columns == y.columns);
  SparseMap map = x;
  for (std::size_t r = 1; r < y.first.size(); ++r) map.first.push_back(x.entries() + y.first[r]);
  map.column.insert(map.column.end(), y.column.begin(), y.column.end());
  map.weight.insert(map.weight.end(), y.weight.begin(), y.weight.end());
  return map;
}

void scale_rows(SparseMap& map, std::span<const float> factors) {
  AP_ASSERT(factors.size() == map.rows());
  for (std::size_t r = 0; r < map.rows(); ++r) {
    for (std::size_t e = map.first[r]; e < map.first[r + 1]; ++e) map.weight[e] *= factors[r];
  }
}

void multiply_add(const SparseMap& map, std::span<const double> x, std::span<double> out) {
  AP_ASSERT(x.size() == map.columns && out.size() == map.rows());
  constexpr std::size_t kRows = 1024;
  parallel_for((map.rows() + kRows - 1) / kRows, [&](std::size_t block) {
    for (std::size_t r = block * kRows; r < std::min(map.rows(), (block + 1) * kRows); ++r) {
      double sum = 0;
      for (std::size_t e = map.first[r]; e < map.first[r + 1]; ++e)
        sum += double{map.weight[e]} * x[map.column[e]];
      out[r] += sum;
    }
  });
}

}  // namespace ap::he_only
