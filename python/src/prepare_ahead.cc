#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bindings.h"
#include "interruptible.h"

namespace bindings {
namespace {

using autoprivacy::ConnectOptions;
using autoprivacy::PrepareAhead;

/// A thread that may want to say something must not wait for the lock of who waits for it.
struct StopWithoutLock {
  void operator()(PrepareAhead* preparing) const {
    const py::gil_scoped_release release;
    delete preparing;
  }
};
using Holder = std::unique_ptr<PrepareAhead, StopWithoutLock>;

template <typename Package>
Holder open(const Package& package, const std::string& url, std::size_t count, ConnectOptions options,
            const py::object& notice) {
  if (const Callable told = callable(notice)) {
    options.notice = [told](const std::string& sentence) {
      if (!Py_IsInitialized()) return;
      const py::gil_scoped_acquire acquire;
      try {
        (*told)(sentence);
      } catch (py::error_already_set& error) {
        error.discard_as_unraisable("the notice of autoprivacy.PrepareAhead");
      }
    };
  }
  const py::gil_scoped_release release;
  return Holder(new PrepareAhead(package, url, count, std::move(options)));
}

}  // namespace

void add_prepare_ahead(py::module_& module) {
  using Release = py::call_guard<py::gil_scoped_release>;
  py::class_<PrepareAhead, Holder>(module, "PrepareAhead")
      .def(py::init([](const py::bytes& package, const std::string& url, std::size_t count,
                       const ConnectOptions& options, const py::object& notice) {
        return Holder(open(span_of(package), url, count, options, notice).release());
      }))
      .def(py::init([](const std::filesystem::path& package, const std::string& url, std::size_t count,
                       const ConnectOptions& options, const py::object& notice) {
        return Holder(open(package, url, count, options, notice).release());
      }))
      .def("_start", &PrepareAhead::start, Release())
      .def("_stop", &PrepareAhead::stop, Release())
      .def_property_readonly("prepared", &PrepareAhead::prepared)
      .def_property_readonly("available", &PrepareAhead::available);
}

}  // namespace bindings
