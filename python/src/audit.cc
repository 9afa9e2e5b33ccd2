#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bindings.h"
#include "interruptible.h"

namespace bindings {

void add_audit(py::module_& module) {
  using autoprivacy::Audit;
  using autoprivacy::AuditOptions;
  using autoprivacy::CircuitPrivacy;
  using autoprivacy::LayerSecurity;
  py::class_<LayerSecurity>(module, "LayerSecurity")
      .def_readonly("name", &LayerSecurity::name)
      .def_readonly("ring_degree", &LayerSecurity::ring_degree)
      .def_readonly("log2_q", &LayerSecurity::log2_q)
      .def_readonly("lambda_usvp", &LayerSecurity::lambda_usvp)
      .def_readonly("lambda_bdd", &LayerSecurity::lambda_bdd)
      .def_readonly("lambda_dual", &LayerSecurity::lambda_dual)
      .def_readonly("lambda_bits", &LayerSecurity::lambda_bits);
  py::class_<CircuitPrivacy>(module, "CircuitPrivacy")
      .def_readonly("method", &CircuitPrivacy::method)
      .def_readonly("inferences", &CircuitPrivacy::inferences)
      .def_readonly("bound_bits_per_weight", &CircuitPrivacy::bound_bits_per_weight)
      .def_readonly("snr", &CircuitPrivacy::snr)
      .def_readonly("computed", &CircuitPrivacy::computed);
  py::class_<Audit>(module, "Audit")
      .def_readonly("package_id", &Audit::package_id)
      .def_readonly("policy", &Audit::policy)
      .def_readonly("reveals_label", &Audit::reveals_label)
      .def_readonly("layers", &Audit::layers)
      .def_readonly("min_lambda_bits", &Audit::min_lambda_bits)
      .def_readonly("cost_model", &Audit::cost_model)
      .def_readonly("circuit_privacy", &Audit::circuit_privacy)
      .def_readonly("flood_bits", &Audit::flood_bits)
      .def_readonly("label_bound", &Audit::label_bound)
      .def_readonly("lpn_bits", &Audit::lpn_bits)
      .def_readonly("garbling_bits", &Audit::garbling_bits)
      .def_readonly("failure_log2", &Audit::failure_log2)
      .def_readonly("failure_checked", &Audit::failure_checked)
      .def_readonly("target_failure_log2", &Audit::target_failure_log2)
      .def_readonly("assumptions", &Audit::assumptions);
  const auto audit = [](const auto& package, const std::string& cost_model, const std::string& publisher) {
    return interruptible([&] { return autoprivacy::audit(package, AuditOptions{cost_model, publisher}); },
                         std::make_shared<Interruption>());
  };
  module.def("audit_file", [audit](const std::filesystem::path& package, const std::string& cost_model,
                                   const std::string& publisher) { return audit(package, cost_model, publisher); });
  module.def("audit_bytes", [audit](const py::bytes& package, const std::string& cost_model,
                                    const std::string& publisher) {
    return audit(span_of(package), cost_model, publisher);
  });
}

}  // namespace bindings
