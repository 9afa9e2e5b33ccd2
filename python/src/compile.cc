#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bindings.h"
#include "interruptible.h"

namespace bindings {
namespace {

using autoprivacy::Accuracy;
using autoprivacy::Compiled;
using autoprivacy::CompileOptions;
using autoprivacy::Layer;
using autoprivacy::LinearParameters;
using autoprivacy::Link;
using autoprivacy::PredictedCost;

void add_results(py::module_& module) {
  py::class_<PredictedCost>(module, "PredictedCost")
      .def_readonly("seconds", &PredictedCost::seconds)
      .def_readonly("client_cpu_seconds", &PredictedCost::client_cpu_seconds)
      .def_readonly("server_cpu_seconds", &PredictedCost::server_cpu_seconds)
      .def_readonly("bytes_up", &PredictedCost::bytes_up)
      .def_readonly("bytes_down", &PredictedCost::bytes_down);
  py::class_<LinearParameters>(module, "LinearParameters")
      .def_readonly("packing", &LinearParameters::packing)
      .def_readonly("ring_degree", &LinearParameters::ring_degree)
      .def_readonly("log2_q", &LinearParameters::log2_q)
      .def_readonly("primes", &LinearParameters::primes)
      .def_readonly("log2_p", &LinearParameters::log2_p)
      .def_readonly("error_std", &LinearParameters::error_std)
      .def_readonly("ciphertext_error_rate", &LinearParameters::ciphertext_error_rate)
      .def_readonly("lambda_bits", &LinearParameters::lambda_bits);
  py::class_<Layer>(module, "Layer")
      .def_readonly("name", &Layer::name)
      .def_readonly("operation", &Layer::operation)
      .def_readonly("linear", &Layer::linear)
      .def_readonly("activation", &Layer::activation)
      .def_readonly("predicted_seconds", &Layer::predicted_seconds)
      .def_readonly("predicted_bytes", &Layer::predicted_bytes);
  py::class_<Accuracy>(module, "Accuracy")
      .def_readonly("in_float", &Accuracy::in_float)
      .def_readonly("clear", &Accuracy::clear)
      .def_readonly("simulated", &Accuracy::simulated)
      .def_readonly("agreement", &Accuracy::agreement);
  py::class_<Compiled>(module, "Compiled")
      .def(py::init([](Compiled& other) { return std::move(other); }))
      .def_readonly("policy", &Compiled::policy)
      .def_readonly("package_id", &Compiled::package_id)
      .def_readonly("layers", &Compiled::layers)
      .def_readonly("min_lambda_bits", &Compiled::min_lambda_bits)
      .def_readonly("failure_log2", &Compiled::failure_log2)
      .def_readonly("activation_bits", &Compiled::activation_bits)
      .def_readonly("offline", &Compiled::offline)
      .def_readonly("online", &Compiled::online)
      .def_readonly("latency_seconds", &Compiled::latency_seconds)
      .def_readonly("accuracy", &Compiled::accuracy)
      .def_readonly("notes", &Compiled::notes)
      .def_readonly("search_seconds", &Compiled::search_seconds)
      .def_readonly("seconds", &Compiled::seconds)
      .def_property_readonly("server_package",
                             [](const Compiled& compiled) { return bytes_of(compiled.server_package); })
      .def_property_readonly("client_package",
                             [](const Compiled& compiled) { return bytes_of(compiled.client_package); })
      .def("write", &Compiled::write, py::call_guard<py::gil_scoped_release>());
}

/// `compile_model(options)` with progress, as the public function does it.
template <typename CompileModel>
Compiled compiled(CompileOptions options, const py::object& progress, const CompileModel& compile_model) {
  const auto interruption = std::make_shared<Interruption>();
  options.progress = progress_callback(progress, interruption);
  return interruptible([&] { return compile_model(options); }, interruption);
}

}  // namespace

void add_compile(py::module_& module) {
  add_results(module);
  py::class_<Link>(module, "Link")
      .def(py::init<double, double>(), py::arg("bits_per_second"), py::arg("round_trip_seconds"));
  py::class_<CompileOptions>(module, "CompileOptions")
      .def(py::init<>())
      .def_readwrite("policy", &CompileOptions::policy)
      .def_readwrite("max_accuracy_loss", &CompileOptions::max_accuracy_loss)
      .def_readwrite("max_seconds", &CompileOptions::max_seconds)
      .def_readwrite("activation", &CompileOptions::activation)
      .def_readwrite("reveal", &CompileOptions::reveal)
      .def_readwrite("activation_bits", &CompileOptions::activation_bits)
      .def_readwrite("privacy_inferences", &CompileOptions::privacy_inferences)
      .def_readwrite("strict", &CompileOptions::strict)
      .def_readwrite("seed", &CompileOptions::seed)
      .def_readwrite("simulations", &CompileOptions::simulations)
      .def_readwrite("labels", &CompileOptions::labels)
      .def_readwrite("framing", &CompileOptions::framing)
      .def_readwrite("unit_costs", &CompileOptions::unit_costs)
      .def_readwrite("link", &CompileOptions::link);
  module.def("compile_file", [](const std::filesystem::path& model, const autoprivacy::Images& calibration,
                                const std::string& normalize, const CompileOptions& options,
                                const py::object& progress) {
    return compiled(options, progress, [&](const CompileOptions& wanted) {
      return autoprivacy::compile(model, calibration, normalize, wanted);
    });
  });
  module.def("compile_bytes",
             [](const py::bytes& model, const std::string& name, const autoprivacy::Images& calibration,
                const std::string& normalize, const CompileOptions& options, const py::object& progress) {
               const auto data = span_of(model);
               return compiled(options, progress, [&](const CompileOptions& wanted) {
                 return autoprivacy::compile(data, name, calibration, normalize, wanted);
               });
             });
}

}  // namespace bindings
