#include "nn/onnx/tensor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "nn/ir/graph.h"

namespace ap::nn {
namespace {

using Proto = onnx::TensorProto;

struct Half {
  std::uint16_t bits;
  /// Subnormal numbers included; infinity and NaN keep their meaning.
  explicit operator float() const {
    const std::uint32_t sign = (bits & 0x8000U) << 16U, exponent = bits >> 10U & 0x1fU,
                        fraction = bits & 0x3ffU;
    if (exponent == 0) {
      const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
      return sign != 0 ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
    return std::bit_cast<float>(sign | wide << 23U | fraction << 13U);
  }
};
struct BrainHalf {
  std::uint16_t bits;
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16U); }
};

std::int64_t element_count(const Proto& tensor, const std::string& name) {
  std::int64_t count = 1;
  for (const std::int64_t d : tensor.dims()) {
    if (d < 0 || (d > 0 && count > kMaxTensorElements / d)) {
      fail_input("tensor {} has a dimension of {}; at most {} elements are allowed", name, d,
                 kMaxTensorElements);
    }
    count *= d;
  }
  return count;
}

/// Values of a tensor whose bytes are `raw` (of elements T), or else lie in a repeated field.
template <typename T, typename Out, typename Field>
std::vector<Out> values(const std::optional<std::string_view>& raw, const Field& field, std::int64_t count,
                        const std::string& name) {
  const auto n = static_cast<std::size_t>(count);
  std::vector<Out> out;
  if (raw) {
    if (raw->size() != n * sizeof(T)) {
      fail_input("tensor {} has {} bytes of data, but its shape needs {}; the file is damaged", name,
                 raw->size(), n * sizeof(T));
    }
    out.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      T v;
      std::memcpy(&v, raw->data() + i * sizeof(T), sizeof(T));
      out[i] = static_cast<Out>(v);
    }
    return out;
  }
  if (static_cast<std::size_t>(field.size()) != n) {
    fail_input("tensor {} has {} values, but its shape needs {}; the file is damaged", name, field.size(), n);
  }
  out.reserve(n);
  for (const auto v : field) {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BrainHalf>) {
      out.push_back(static_cast<Out>(T{static_cast<std::uint16_t>(v)}));
    } else {
      out.push_back(static_cast<Out>(static_cast<T>(v)));
    }
  }
  return out;
}

std::uint64_t whole_number(const std::string& text, const char* key, const std::string& name) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail_input("tensor {}: its external {} \"{}\" is no whole number", name, key, printable_name(text));
  }
  return value;
}

/// The bytes of a tensor that lie in a file beside the .onnx file. The name comes from the file, so only a plain name of
/// a regular file is opened, and no symbolic link.
std::string external_bytes(const Proto& tensor, std::int64_t needed, const std::string& name,
                           const std::filesystem::path& folder) {
  std::string location, offset = "0", length;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = entry.value();
    if (entry.key() == "length") length = entry.value();
  }
  if (folder.empty()) {
    fail_input(
        "tensor {} lies in another file ({}); give the .onnx file by its path, with that file beside it",
        name, printable_name(location));
  }
  if (location.starts_with("./")) location.erase(0, 2);
  const std::filesystem::path plain(location);
  if (location.empty() || location.find('\0') != std::string::npos ||
      location.find('\\') != std::string::npos || plain.has_root_path() || plain.has_parent_path() ||
      location == "." || location == "..") {
    fail_input("tensor {} lies in \"{}\"; only a file in the folder of the .onnx file itself is read", name,
               printable_name(location));
  }
  const std::uint64_t begin = whole_number(offset, "offset", name);
  const auto bytes = static_cast<std::uint64_t>(needed);
  if (!length.empty() && whole_number(length, "length", name) != bytes) {
    fail_input("tensor {} has {} bytes in {}, but its shape needs {}; the file is damaged", name,
               printable_name(length), printable_name(location), bytes);
  }
  const std::filesystem::path path = folder / plain;
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) {
    const char* reason = errno == ELOOP ? "it is a symbolic link" : std::strerror(errno);
    fail_input(
        "tensor {} lies in {}, which cannot be opened ({}); copy that file into the folder of the .onnx file",
        name, path.string(), reason);
  }
  struct Closer {
    int file;
    ~Closer() { ::close(file); }
  } const closer{file};
  struct stat status {};
  const bool is_file = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  const auto size = is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
  if (begin > size || bytes > size - begin) {
    fail_input(
        "tensor {} needs {} bytes from position {} of {}, which has {}; the file is not the one that belongs to "
        "this network, or it is cut off",
        name, bytes, begin, path.string(), size);
  }
  std::string out(static_cast<std::size_t>(bytes), '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(file, out.data() + done, out.size() - done, static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_input("tensor {}: {} cannot be read", name, path.string());
    done += static_cast<std::size_t>(got);
  }
  return out;
}

int element_bytes(int type) {
  switch (type) {
    case Proto::DOUBLE:
    case Proto::INT64:
    case Proto::UINT64:
      return 8;
    case Proto::FLOAT:
    case Proto::INT32:
    case Proto::UINT32:
      return 4;
    case Proto::FLOAT16:
    case Proto::BFLOAT16:
    case Proto::INT16:
    case Proto::UINT16:
      return 2;
    default:
      return 1;
  }
}

void read_values(const Proto& tensor, const std::optional<std::string_view>& raw, std::int64_t count,
                 Constant& out) {
  const std::string& name = out.name;
  const auto integers = [&]<typename T>(T, const auto& field) {
    out.integers = values<T, std::int64_t>(raw, field, count, name);
  };
  switch (tensor.data_type()) {
    case Proto::FLOAT:
      out.floats = values<float, float>(raw, tensor.float_data(), count, name);
      break;
    case Proto::DOUBLE:
      out.floats = values<double, float>(raw, tensor.double_data(), count, name);
      break;
    case Proto::FLOAT16:
      out.floats = values<Half, float>(raw, tensor.int32_data(), count, name);
      break;
    case Proto::BFLOAT16:
      out.floats = values<BrainHalf, float>(raw, tensor.int32_data(), count, name);
      break;
    case Proto::INT64:
      integers(std::int64_t{}, tensor.int64_data());
      break;
    case Proto::UINT64:
      integers(std::uint64_t{}, tensor.uint64_data());
      break;
    case Proto::INT32:
      integers(std::int32_t{}, tensor.int32_data());
      break;
    case Proto::UINT32:
      integers(std::uint32_t{}, tensor.uint64_data());
      break;
    case Proto::INT16:
      integers(std::int16_t{}, tensor.int32_data());
      break;
    case Proto::UINT16:
      integers(std::uint16_t{}, tensor.int32_data());
      break;
    case Proto::INT8:
      integers(std::int8_t{}, tensor.int32_data());
      break;
    case Proto::UINT8:
    case Proto::BOOL:
      integers(std::uint8_t{}, tensor.int32_data());
      break;
    default:
      fail_input("tensor {} holds {}; only floats, integers and truth values are supported", name,
                 type_name(tensor.data_type()));
  }
}

}  // namespace

std::string printable_name(std::string name) {
  if (name.size() > 200) name.resize(200);
  for (char& c : name) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return name;
}

bool is_integer_type(int type) {
  switch (type) {
    case Proto::INT64:
    case Proto::UINT64:
    case Proto::INT32:
    case Proto::UINT32:
    case Proto::INT16:
    case Proto::UINT16:
    case Proto::INT8:
    case Proto::UINT8:
    case Proto::BOOL:
      return true;
    default:
      return false;
  }
}

std::string type_name(int type) {
  static constexpr const char* kNames[] = {"values of no type",
                                           "float32",
                                           "uint8",
                                           "int8",
                                           "uint16",
                                           "int16",
                                           "int32",
                                           "int64",
                                           "text",
                                           "truth values",
                                           "float16",
                                           "float64",
                                           "uint32",
                                           "uint64",
                                           "complex numbers",
                                           "complex numbers",
                                           "bfloat16"};
  if (type < 0 || type >= static_cast<int>(std::size(kNames))) return fmt::format("type {}", type);
  return kNames[type];
}

Constant read_tensor(const Proto& tensor, const std::string& given_name,
                     const std::filesystem::path& folder) {
  Constant out;
  out.name = printable_name(given_name);
  if (tensor.has_segment()) fail_input("tensor {} is stored in segments, which is not supported", out.name);
  const std::int64_t count = element_count(tensor, out.name);
  out.dims.assign(tensor.dims().begin(), tensor.dims().end());
  out.type = tensor.data_type();
  out.is_integer = is_integer_type(out.type);
  std::string outside;
  std::optional<std::string_view> raw;
  if (tensor.data_location() == Proto::EXTERNAL || tensor.external_data_size() > 0) {
    outside = external_bytes(tensor, count * element_bytes(out.type), out.name, folder);
    raw = outside;
  } else if (tensor.has_raw_data()) {
    raw = tensor.raw_data();
  }
  read_values(tensor, raw, count, out);
  for (std::size_t i = 0; i < out.floats.size(); ++i) {
    // A lone infinity is a limit: of a Clip, a Max or a Where.
    const bool is_limit = count == 1 && out.dims.size() < 2 && std::isinf(out.floats[i]);
    if (std::isfinite(out.floats[i]) || is_limit) continue;
    fail_input("tensor {} holds {} at position {}; weights must be finite numbers", out.name, out.floats[i],
               i);
  }
  return out;
}

}  // namespace ap::nn
