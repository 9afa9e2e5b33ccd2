#include "nn/data/npy_file.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace ap::nn {
namespace {

constexpr std::size_t kMaxHeader = 65536, kMaxDims = 8;

[[noreturn]] void bad_header(const std::string& name) {
  fail_input("{} is not a .npy file, or its header is damaged; numpy.save writes one", name);
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
    if (error != std::errc{} || value < 0 || dims.size() == kMaxDims) bad_header(name);
    dims.push_back(value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
}

/// IEEE 754 binary16.
double half(std::uint64_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const auto fraction = static_cast<double>(bits & 1023);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31)
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

}  // namespace

double NpyType::number(const std::uint8_t* bytes) const {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < width; ++i) bits = bits << 8 | bytes[big_endian ? i : width - 1 - i];
  if (kind == 'f') {
    if (width == 2) return half(bits);
    if (width == 8) return std::bit_cast<double>(bits);
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  }
  if (kind != 'i') return static_cast<double>(bits);
  const auto unused = static_cast<int>(64 - 8 * width);
  return static_cast<double>(static_cast<std::int64_t>(bits << unused) >> unused);
}

NpyType NpyHeader::numbers(const std::string& name) const {
  NpyType out;
  const bool known = type.size() == 3 && std::strchr("<>|=", type[0]) != nullptr &&
                     std::strchr("biuf", type[1]) != nullptr && std::strchr("1248", type[2]) != nullptr;
  if (known) {
    out = {type[1], static_cast<std::size_t>(type[2] - '0'), type[0] == '>'};
    if ((out.kind != 'b' || out.width == 1) && (out.kind != 'f' || out.width > 1)) return out;
  }
  fail_input(
      "{} holds values of type {}, which are no numbers that this version reads; save x.astype(\"float32\")",
      name, type);
}

NpyHeader read_npy_header(ByteSource& source, const std::string& name) {
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
  if (length > kMaxHeader) bad_header(name);
  std::string text(length, '\0');
  if (source.read({reinterpret_cast<std::uint8_t*>(text.data()), length}) != length) bad_header(name);
  NpyHeader out;
  const std::string_view type = field(text, "descr", name);
  const std::size_t quote = type.find('\'', 1);
  if (type.front() == '[') fail_input("{} holds records of several fields; save one array of numbers", name);
  if (type.front() != '\'' || quote == std::string_view::npos) bad_header(name);
  out.type = type.substr(1, quote - 1);
  if (field(text, "fortran_order", name).substr(0, 5) != "False") {
    fail_input("{} is in Fortran order; save it with numpy.ascontiguousarray", name);
  }
  out.dims = parse_shape(field(text, "shape", name), name);
  return out;
}

std::string python_shape(const std::vector<std::int64_t>& dims) {
  std::string out = "(";
  for (std::size_t i = 0; i < dims.size(); ++i) out += fmt::format("{}{}", i == 0 ? "" : ", ", dims[i]);
  return out + (dims.size() == 1 ? ",)" : ")");
}

}  // namespace ap::nn
