// NumPy's .npy files (format versions 1 to 3): a header in Python syntax, then the values.
#pragma once

#include <string>
#include <vector>

#include "nn/data/byte_source.h"

namespace ap::nn {

/// The type of an array's numbers: bool (b), signed and unsigned integers (i, u) and floats (f) in either byte order.
struct NpyType {
  char kind = 'u';
  std::size_t width = 1;  ///< bytes: 1, 2, 4 or 8
  bool big_endian = false;
  bool is_bytes() const { return kind == 'u' && width == 1; }
  /// The number that `bytes`, width of them, hold.
  double number(const std::uint8_t* bytes) const;
};

struct NpyHeader {
  std::string type;  ///< as the file has it, "<f4"; for messages
  std::vector<std::int64_t> dims;
  /// @throws Error(input), which says what to do, if the type is none of NpyType.
  NpyType numbers(const std::string& name) const;
};

/// Leaves `source` at the first value. `name` stands for the file in messages.
/// @throws Error(input) if it is no .npy file, damaged or in Fortran order.
NpyHeader read_npy_header(ByteSource& source, const std::string& name);

/// "(3, 8, 8)", as Python writes shapes.
std::string python_shape(const std::vector<std::int64_t>& dims);

}  // namespace ap::nn
