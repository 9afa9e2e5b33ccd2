// NumPy's .npy files (format versions 1 to 3): a header in Python syntax, then the values.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "nn/data/byte_source.h"
#include "nn/data/dataset_formats.h"

namespace ap::nn {
namespace {

struct Header {
  std::string type;  ///< "<f4"
  std::vector<std::int64_t> dims;
};

[[noreturn]] void bad_header(const std::string& name) {
  fail_input("{} is not a .npy file, or its header is damaged", name);
}

/// The text behind 'key': in the header, from its first character other than a space.
std::string_view field(std::string_view text, const std::string& key, const std::string& name) {
  const std::size_t at = text.find("'" + key + "'");
  if (at == std::string_view::npos) bad_header(name);
  const std::size_t colon = text.find(':', at);
  const std::size_t start = colon == std::string_view::npos ? colon : text.find_first_not_of(' ', colon + 1);
  if (start == std::string_view::npos) bad_header(name);
  return text.substr(start);
}

std::vector<std::int64_t> parse_shape(std::string_view text, const std::string& name) {
  if (text.empty() || text.front() != '(') bad_header(name);
  const std::size_t close = text.find(')');
  if (close == std::string_view::npos) bad_header(name);
  text = text.substr(1, close - 1);
  std::vector<std::int64_t> dims;
  while (true) {
    const std::size_t start = text.find_first_not_of(" ,");
    if (start == std::string_view::npos) return dims;
    text.remove_prefix(start);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value < 0 || dims.size() == 8) bad_header(name);
    dims.push_back(value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
}

Header read_header(ByteSource& source, const std::string& name) {
  std::uint8_t head[8];
  if (source.read(head) != sizeof head || std::memcmp(head, "\x93NUMPY", 6) != 0 || head[6] < 1 ||
      head[6] > 3) {
    bad_header(name);
  }
  const std::size_t length_bytes = head[6] == 1 ? 2 : 4;
  std::uint8_t length_field[4] = {};
  if (source.read(std::span(length_field).first(length_bytes)) != length_bytes) bad_header(name);
  std::size_t length = 0;
  for (std::size_t i = 4; i-- > 0;) length = length << 8 | length_field[i];
  if (length > 65536) bad_header(name);
  std::string text(length, '\0');
  if (source.read({reinterpret_cast<std::uint8_t*>(text.data()), length}) != length) bad_header(name);
  Header out;
  const std::string_view type = field(text, "descr", name);
  if (type.size() < 5 || type.front() != '\'') bad_header(name);
  out.type = type.substr(1, 3);
  if (field(text, "fortran_order", name).substr(0, 5) != "False") {
    fail_input("{} is in Fortran order; save it with numpy.ascontiguousarray", name);
  }
  out.dims = parse_shape(field(text, "shape", name), name);
  return out;
}

/// Reads `bytes` bytes piece by piece, so that a false header cannot make us allocate what is not there.
std::vector<std::uint8_t> read_bytes(ByteSource& source, std::uint64_t bytes, const std::string& name) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  std::vector<std::uint8_t> out;
  while (out.size() < bytes) {
    const std::size_t at = out.size();
    out.resize(at + static_cast<std::size_t>(std::min(kPiece, bytes - at)));
    const std::size_t got = source.read(std::span(out).subspan(at));
    if (got != out.size() - at) fail_input("{} is cut off: it lacks {} bytes", name, bytes - at - got);
  }
  return out;
}

std::vector<int> read_labels(const std::filesystem::path& path, const Selection& wanted, std::int64_t count) {
  const std::string name = path.string();
  const auto source = open_source(path);
  const Header header = read_header(*source, name);
  if (header.dims.size() != 1 || header.dims[0] != count) {
    fail_input("{} does not hold a list of {} labels, one for each image", name, count);
  }
  const bool known = header.type == "|u1" || header.type == "|i1" || header.type == "<i4" ||
                     header.type == "<u4" || header.type == "<i8" || header.type == "<u8";
  if (!known) fail_input("{} holds {} values; labels must be integers", name, header.type);
  const auto width = static_cast<std::size_t>(header.type[2] - '0');
  source->skip(wanted.begin * width);
  const std::vector<std::uint8_t> raw = read_bytes(*source, wanted.count * width, name);
  std::vector<int> out;
  for (std::size_t i = 0; i < wanted.count; ++i) {
    std::uint64_t value = 0;
    std::memcpy(&value, raw.data() + i * width, width);
    const bool sign_bit = (raw[(i + 1) * width - 1] & 0x80) != 0;
    if (value > 1'000'000 || (header.type[1] == 'i' && sign_bit)) {
      fail_input("{}: label {} is negative or larger than a million", name, wanted.begin + i);
    }
    out.push_back(static_cast<int>(value));
  }
  return out;
}

}  // namespace

Dataset read_npy(const std::filesystem::path& images, const std::filesystem::path& labels, Range range) {
  const std::string name = images.string();
  const auto source = open_source(images);
  const Header header = read_header(*source, name);
  const bool is_float = header.type == "<f4";
  if (!is_float && header.type != "|u1") {
    fail_input("{} holds {} values; images must be uint8 or float32", name, header.type);
  }
  const std::vector<std::int64_t>& d = header.dims;
  if (d.size() < 2 || d.size() > 4) {
    fail_input("{} has {} dimensions; images are NCHW (4), NHW (3) or vectors (2)", name, d.size());
  }
  std::int64_t size = 1;
  for (std::size_t i = 1; i < d.size(); ++i) {
    if (d[i] < 1 || d[i] > kMaxTensorElements / size) fail_input("{} has a dimension of {}", name, d[i]);
    size *= d[i];
  }
  Dataset out;
  const auto side = [&](std::size_t i) { return static_cast<int>(d[i]); };
  out.shape = d.size() == 4   ? Shape{side(1), side(2), side(3)}
              : d.size() == 3 ? Shape{1, side(1), side(2)}
                              : Shape{side(1), 1, 1};
  const std::uint64_t image_bytes = static_cast<std::uint64_t>(size) * (is_float ? sizeof(float) : 1);
  const Selection wanted = select(range, static_cast<std::uint64_t>(d[0]), image_bytes, name);
  source->skip(wanted.begin * image_bytes);
  out.bytes = read_bytes(*source, wanted.count * image_bytes, name);
  if (is_float) {
    out.floats.resize(out.bytes.size() / sizeof(float));
    std::memcpy(out.floats.data(), out.bytes.data(), out.bytes.size());
    out.bytes.clear();
    for (std::size_t i = 0; i < out.floats.size(); ++i) {
      if (!std::isfinite(out.floats[i])) {
        fail_input("{}: image {} holds {}; pixels must be finite numbers", name,
                   wanted.begin + i / static_cast<std::size_t>(size), out.floats[i]);
      }
    }
  }
  if (!labels.empty()) out.labels = read_labels(labels, wanted, d[0]);
  return out;
}

}  // namespace ap::nn
