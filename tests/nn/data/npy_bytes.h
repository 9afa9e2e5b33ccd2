// NumPy files as bytes.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace ap::nn {

/// An array of `shape` ("2, 3"; "2," of one dimension) whose header says `type` and whose values are `values`.
template <typename T>
Bytes npy(const std::string& type, const std::string& shape, const std::vector<T>& values) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize(118, ' ');
  header.back() = '\n';
  const Bytes magic = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<std::uint8_t>(header.size()), 0};
  Bytes out(magic.size() + header.size() + values.size() * sizeof(T));
  std::memcpy(out.data(), magic.data(), magic.size());
  std::memcpy(out.data() + magic.size(), header.data(), header.size());
  std::memcpy(out.data() + magic.size() + header.size(), values.data(), values.size() * sizeof(T));
  return out;
}

}  // namespace ap::nn
