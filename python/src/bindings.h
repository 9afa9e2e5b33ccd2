// The parts of the extension module, each of which adds its classes and functions.
#pragma once

#include <pybind11/pybind11.h>

#include <autoprivacy/autoprivacy.h>
#include <cstdint>
#include <span>
#include <vector>

namespace bindings {

namespace py = pybind11;

void add_errors(py::module_& module);
void add_images(py::module_& module);
void add_compile(py::module_& module);
void add_simulate(py::module_& module);
void add_audit(py::module_& module);
void add_server(py::module_& module);
void add_client(py::module_& module);
void add_prepare_ahead(py::module_& module);

inline py::bytes bytes_of(const std::vector<std::uint8_t>& data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}
/// Valid as long as the object.
inline std::span<const std::uint8_t> span_of(const py::bytes& bytes) {
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(bytes.ptr(), &data, &size) != 0) throw py::error_already_set();
  return {reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
}

}  // namespace bindings
