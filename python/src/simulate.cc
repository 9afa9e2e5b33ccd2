#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bindings.h"
#include "interruptible.h"

namespace bindings {
namespace {

using autoprivacy::Images;
using autoprivacy::Interval;
using autoprivacy::SimulateOptions;
using autoprivacy::Simulation;

template <typename Package>
Simulation simulate(const Package& package, const Images& images, int seeds, std::uint64_t first_seed,
                    const py::object& progress) {
  const auto interruption = std::make_shared<Interruption>();
  const SimulateOptions options{seeds, first_seed, progress_callback(progress, interruption)};
  return interruptible([&] { return autoprivacy::simulate(package, images, options); }, interruption);
}

/// Labels and scores (N x classes).
template <typename Package>
py::tuple clear_answers(const Package& package, const Images& images) {
  const auto results = interruptible([&] { return autoprivacy::classify_in_clear(package, images); },
                                     std::make_shared<Interruption>());
  const auto count = static_cast<py::ssize_t>(results.size());
  const auto classes = static_cast<py::ssize_t>(results.empty() ? 0 : results.front().scores.size());
  py::array_t<int> labels(count);
  py::array_t<double> scores({count, classes});
  for (py::ssize_t i = 0; i < count; ++i) {
    const auto& result = results[static_cast<std::size_t>(i)];
    labels.mutable_at(i) = result.label;
    std::copy(result.scores.begin(), result.scores.end(), scores.mutable_data(i, 0));
  }
  return py::make_tuple(labels, scores);
}

}  // namespace

void add_simulate(py::module_& module) {
  py::class_<Interval>(module, "Interval")
      .def_readonly("low", &Interval::low)
      .def_readonly("high", &Interval::high);
  py::class_<Simulation>(module, "Simulation")
      .def_readonly("images", &Simulation::images)
      .def_readonly("seeds", &Simulation::seeds)
      .def_readonly("top1", &Simulation::top1)
      .def_readonly("top1_clear", &Simulation::top1_clear)
      .def_readonly("top1_by_seed", &Simulation::top1_by_seed)
      .def_readonly("top1_interval", &Simulation::top1_interval)
      .def_readonly("loss", &Simulation::loss)
      .def_readonly("loss_std_error", &Simulation::loss_std_error)
      .def_readonly("agreement", &Simulation::agreement)
      .def_readonly("agreement_interval", &Simulation::agreement_interval)
      .def_readonly("wrapped", &Simulation::wrapped)
      .def_readonly("seconds", &Simulation::seconds);
  module.def("simulate_file", &simulate<std::filesystem::path>);
  module.def("simulate_bytes", [](const py::bytes& package, const Images& images, int seeds,
                                  std::uint64_t first_seed, const py::object& progress) {
    return simulate(span_of(package), images, seeds, first_seed, progress);
  });
  module.def("classify_in_clear_file", &clear_answers<std::filesystem::path>);
  module.def("classify_in_clear_bytes", [](const py::bytes& package, const Images& images) {
    return clear_answers(span_of(package), images);
  });
}

}  // namespace bindings
