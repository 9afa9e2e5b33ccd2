// Arrays of images and labels, and how the dimensions of one become those of the other.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/data/dataset_formats.h"
#include "nn/data/npy_file.h"

namespace ap::nn {
namespace {

using Dims = std::vector<std::int64_t>;

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;

/// Calls use(bytes) for `count` values of `width` bytes piece by piece, so that a false header cannot make us allocate
/// what is not there.
template <typename Use>
void read_values(ByteSource& source, std::uint64_t count, std::size_t width, const std::string& name,
                 Use use) {
  std::vector<std::uint8_t> piece;
  for (std::uint64_t left = count * width; left > 0; left -= piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min(kPiece, left)));
    const std::size_t got = source.read(piece);
    if (got != piece.size()) fail_input("{} is cut off: it lacks {} bytes", name, left - got);
    use(std::span<const std::uint8_t>(piece));
  }
}

std::vector<int> read_labels(const std::filesystem::path& path, const Selection& wanted, std::int64_t count) {
  constexpr double kMost = 1'000'000;
  const std::string name = path.string();
  const auto source = open_source(path);
  const NpyHeader header = read_npy_header(*source, name);
  const Dims& dims = header.dims;
  if (dims.size() != 1 || dims[0] != count) {
    const bool column = dims.size() == 2 && dims[0] == count && dims[1] == 1,
               rows = dims.size() == 2 && dims[0] == count;
    fail_input(
        "{} has the shape {}, but there are {} images, and labels are a list with one integer for each{}",
        name, python_shape(dims), count,
        column ? "; save y.ravel()"
        : rows ? "; of one-hot rows save y.argmax(1)"
               : "");
  }
  const bool is_integer =
      header.type.size() == 3 && std::string_view("biu").find(header.type[1]) != std::string_view::npos;
  if (!is_integer) {
    const bool is_float = header.type.size() == 3 && header.type[1] == 'f';
    fail_input("{} holds values of type {}; labels are integers from 0{}", name, header.type,
               is_float ? "; save y.astype(\"int64\")" : ", and --labels names the classes");
  }
  const NpyType type = header.numbers(name);
  source->skip(wanted.begin * type.width);
  std::vector<int> out;
  read_values(*source, wanted.count, type.width, name, [&](std::span<const std::uint8_t> bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += type.width) {
      const double value = type.number(bytes.data() + at);
      if (!(value >= 0 && value <= kMost)) {
        fail_input("{}: label {} is {}; labels are integers from 0 to a million", name,
                   wanted.begin + out.size(), value);
      }
      out.push_back(static_cast<int>(value));
    }
  });
  return out;
}

Dims without_ones(const Dims& dims) {
  Dims out;
  std::ranges::copy_if(dims, std::back_inserter(out), [](std::int64_t d) { return d != 1; });
  return out;
}

std::int64_t product(const Dims& dims) {
  std::int64_t out = 1;
  for (const std::int64_t d : dims) out *= d;
  return out;
}

/// How the values of one image lie.
enum class Order : std::uint8_t { as_they_are, channels_last };

struct Reading {
  Shape shape;
  Order order = Order::as_they_are;
  std::string note = {};
};

/// Without a network: NCHW, NHW or vectors.
Reading plain_reading(const Dims& dims, const Dims& image, const std::string& name) {
  const auto side = [&](std::size_t i) { return static_cast<int>(image[i]); };
  if (image.size() == 3) return {{side(0), side(1), side(2)}};
  if (image.size() == 2) return {{1, side(0), side(1)}};
  if (image.size() == 1) return {{side(0), 1, 1}};
  fail_input("{} has the shape {}; images are (N, C, H, W), (N, H, W) or, as vectors, (N, V)", name,
             python_shape(dims));
}

/// What the network's input is called in messages: its own dimensions.
Dims own_dims(const Shape& expected, const InputForm& form) {
  if (!form.dims.empty()) return {form.dims.begin(), form.dims.end()};
  if (expected.h == 1 && expected.w == 1) return {expected.c};
  return {expected.c, expected.h, expected.w};
}

std::string batch_of(const Dims& image) {
  std::string text = python_shape(image);
  return "(N, " + text.substr(1, text.size() - (image.size() == 1 ? 3 : 2)) + ")";
}

Reading reading_for(const Dims& dims, const Dims& image, const Shape& expected, const InputForm& form,
                    const std::string& name) {
  const Dims first = {expected.c, expected.h, expected.w}, last = {expected.h, expected.w, expected.c};
  const Dims own = own_dims(expected, form), given = without_ones(image);
  const bool fits = image.size() == dims.size() - 1 && product(image) == expected.size();
  const bool as_first = fits && given == without_ones(first), as_last = fits && given == without_ones(last);
  // The network's own order comes first: of a square image both may fit.
  if (form.channels_last ? as_last : as_first) {
    return {expected, form.channels_last ? Order::channels_last : Order::as_they_are, {}};
  }
  if (fits && !form.channels_last && given == without_ones(own)) return {expected};
  const bool is_vector = expected.h == 1 && expected.w == 1, has_one_channel = expected.c == 1;
  if (fits && (is_vector || (given.size() == 1 && has_one_channel))) return {expected};
  if (as_first || as_last) {
    return {expected, as_last ? Order::channels_last : Order::as_they_are,
            fmt::format(
                "{} has the shape {} and is taken for {}; the network's own order is {}", name,
                python_shape(dims),
                as_last ? "NHWC, channels last: as x.transpose(0, 3, 1, 2) of it" : "NCHW, channels first",
                batch_of(own))};
  }
  const std::string wanted = batch_of(own);
  const Dims whole = without_ones(dims);
  if (whole == without_ones(own) || whole == without_ones(first) || whole == without_ones(last)) {
    fail_input(
        "{} has the shape {}: one image without the dimension that counts images; save x[None], the network takes {}",
        name, python_shape(dims), wanted);
  }
  if (fits && given.size() == 1) {
    fail_input("{} has the shape {}: flat images, but the network takes {}; save x.reshape(-1, {})", name,
               python_shape(dims), wanted, wanted.substr(4, wanted.size() - 5));
  }
  fail_input("{} has the shape {}, but the network takes {}; resize or reshape the images", name,
             python_shape(dims), wanted);
}

/// Images [H][W][C] become [C][H][W].
template <typename T>
void put_channels_first(std::vector<T>& values, const Shape& shape) {
  const auto size = static_cast<std::size_t>(shape.size()), channels = static_cast<std::size_t>(shape.c);
  if (size == 0 || channels == 1) return;
  const std::size_t plane = size / channels;
  std::vector<T> image(size);
  for (std::size_t begin = 0; begin < values.size(); begin += size) {
    for (std::size_t i = 0; i < size; ++i) image[i % channels * plane + i / channels] = values[begin + i];
    std::ranges::copy(image, values.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

}  // namespace

Dataset read_npy(const std::filesystem::path& images, const std::filesystem::path& labels, Range range,
                 const std::optional<Shape>& expected, const InputForm& form) {
  const std::string name = images.string();
  const auto source = open_source(images);
  const NpyHeader header = read_npy_header(*source, name);
  const NpyType type = header.numbers(name);
  if (header.dims.empty())
    fail_input("{} holds a single number; images are (N, C, H, W), (N, H, W) or (N, V)", name);
  const Dims image(header.dims.begin() + 1, header.dims.end());
  std::int64_t size = 1;
  for (const std::int64_t d : image) {
    if (d < 1 || d > kMaxTensorElements / size) fail_input("{} has a dimension of {}", name, d);
    size *= d;
  }
  const Reading reading = expected ? reading_for(header.dims, image, *expected, form, name)
                                   : plain_reading(header.dims, image, name);
  const std::size_t kept = type.is_bytes() ? 1 : sizeof(float);
  const auto values = static_cast<std::uint64_t>(size);
  const Selection wanted =
      select(range, static_cast<std::uint64_t>(header.dims[0]), values * std::max(kept, type.width), name);
  source->skip(wanted.begin * values * type.width);
  Dataset out;
  out.shape = reading.shape;
  if (!reading.note.empty()) out.notes.push_back(reading.note);
  read_values(*source, wanted.count * values, type.width, name, [&](std::span<const std::uint8_t> bytes) {
    if (type.is_bytes()) {
      out.bytes.insert(out.bytes.end(), bytes.begin(), bytes.end());
      return;
    }
    for (std::size_t at = 0; at < bytes.size(); at += type.width) {
      const double value = type.number(bytes.data() + at);
      if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()))) {
        fail_input("{}: image {} holds {}; pixels must be finite numbers", name,
                   wanted.begin + out.floats.size() / values, value);
      }
      out.floats.push_back(static_cast<float>(value));
    }
  });
  if (reading.order == Order::channels_last) {
    put_channels_first(out.bytes, out.shape);
    put_channels_first(out.floats, out.shape);
  }
  if (!labels.empty()) out.labels = read_labels(labels, wanted, header.dims[0]);
  return out;
}

}  // namespace ap::nn
