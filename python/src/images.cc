#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstring>

#include "bindings.h"
#include "interruptible.h"

namespace bindings {
namespace {

using autoprivacy::Images;
using autoprivacy::Shape;

template <typename Value>
using Array = py::array_t<Value, py::array::c_style>;

py::tuple tuple_of(const Shape& shape) {
  return py::make_tuple(shape.channels, shape.height, shape.width);
}

/// Images of an array N x C x H x W, copied.
template <typename Value>
Images images_of(const Array<Value>& array, std::vector<int> labels,
                 std::vector<Value> Images::*where) {
  if (array.ndim() != 4) {
    throw autoprivacy::Error(autoprivacy::ErrorCode::input, "images have four dimensions here: N x C x H x W");
  }
  Images images;
  images.shape = {static_cast<int>(array.shape(1)), static_cast<int>(array.shape(2)),
                  static_cast<int>(array.shape(3))};
  (images.*where).assign(array.data(), array.data() + array.size());
  images.labels = std::move(labels);
  return images;
}

py::array array_of(const Images& images) {
  const auto count = static_cast<py::ssize_t>(images.size());
  const std::vector<py::ssize_t> dimensions = {count, images.shape.channels, images.shape.height,
                                               images.shape.width};
  if (!images.floats.empty()) return py::array_t<float>(dimensions, images.floats.data());
  return py::array_t<std::uint8_t>(dimensions, images.pixels.data());
}

}  // namespace

void add_images(py::module_& module) {
  using autoprivacy::Progress;
  py::class_<Progress>(module, "Progress")
      .def_readonly("task", &Progress::task)
      .def_readonly("detail", &Progress::detail)
      .def_readonly("done", &Progress::done)
      .def_readonly("total", &Progress::total)
      .def_readonly("seconds", &Progress::seconds)
      .def_readonly("last", &Progress::last);

  py::class_<Images>(module, "Images")
      .def("__len__", &Images::size)
      .def_property_readonly("shape", [](const Images& images) { return tuple_of(images.shape); })
      .def_property_readonly("array", &array_of)
      .def_property_readonly("labels", [](const Images& images) {
        return py::array_t<int>(static_cast<py::ssize_t>(images.labels.size()), images.labels.data());
      });
  module.def("images_of_pixels", [](const Array<std::uint8_t>& array, std::vector<int> labels) {
    return images_of(array, std::move(labels), &Images::pixels);
  });
  module.def("images_of_numbers", [](const Array<float>& array, std::vector<int> labels) {
    return images_of(array, std::move(labels), &Images::floats);
  });
  module.def("load_images", [](const std::string& source, std::size_t first,
                               std::optional<std::size_t> count, const std::string& framing) {
    const std::size_t most = count.value_or(std::numeric_limits<std::size_t>::max());
    return interruptible([&] { return autoprivacy::load_images(source, first, most, framing); },
                         std::make_shared<Interruption>());
  });
}

}  // namespace bindings
