// The extension module autoprivacy._core: the public headers of the library, name by name. What a Python programmer sees
// is in python/autoprivacy, which accepts more kinds of arguments and adds nothing else.
#include "bindings.h"

namespace bindings {
namespace {

/// The library's one exception as the classes of autoprivacy/_errors.py.
void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const autoprivacy::Error& error) {
    const py::object make = py::module_::import("autoprivacy._errors").attr("of_code");
    const py::object exception =
        make(static_cast<int>(error.code()),
             py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
                 error.what(), static_cast<Py_ssize_t>(std::char_traits<char>::length(error.what())),
                 "replace")));
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  }
}

}  // namespace

void add_errors(py::module_&) { py::register_exception_translator(translate); }

}  // namespace bindings

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ library of AutoPrivacy";
  module.attr("__version__") = autoprivacy::version();
  bindings::add_errors(module);
  bindings::add_images(module);
  bindings::add_compile(module);
  bindings::add_simulate(module);
  bindings::add_audit(module);
  bindings::add_server(module);
  bindings::add_client(module);
  bindings::add_prepare_ahead(module);
}
