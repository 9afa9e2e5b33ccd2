#include <pybind11/chrono.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bindings.h"
#include "interruptible.h"

namespace bindings {
namespace {

using autoprivacy::LogLevel;
using autoprivacy::Server;
using autoprivacy::ServerOptions;
using autoprivacy::ShareStatistics;

/// Calls log("info" | "warning" | "error", sentence); what it raises is dropped, since nobody waits for it.
autoprivacy::LogCallback log_callback(const py::object& log) {
  const Callable told = callable(log);
  if (!told) return {};
  return [told](LogLevel level, const std::string& sentence) {
    if (!Py_IsInitialized()) return;
    const py::gil_scoped_acquire acquire;
    const char* name = level == LogLevel::info ? "info" : level == LogLevel::warning ? "warning" : "error";
    try {
      (*told)(name, sentence);
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("the log of autoprivacy.Server");
    }
  };
}

template <typename Package>
std::unique_ptr<Server> open(const Package& package, ServerOptions options, const py::object& log) {
  options.log = log_callback(log);
  const py::gil_scoped_release release;
  return std::make_unique<Server>(package, std::move(options));
}

ShareStatistics share_statistics(const std::string& name) {
  if (name == "none") return ShareStatistics::none;
  if (name == "session") return ShareStatistics::session;
  if (name == "process") return ShareStatistics::process;
  throw autoprivacy::Error(
      autoprivacy::ErrorCode::input,
      "share_statistics is \"" + name + "\"; it is one of \"none\", \"session\" and \"process\"");
}

/// A server whose last reference goes must not hold the lock: its threads may want to log.
struct StopWithoutLock {
  void operator()(Server* server) const {
    const py::gil_scoped_release release;
    delete server;
  }
};
using Holder = std::unique_ptr<Server, StopWithoutLock>;

}  // namespace

void add_server(py::module_& module) {
  py::class_<ServerOptions>(module, "ServerOptions")
      .def(py::init<>())
      .def_readwrite("listen", &ServerOptions::listen)
      .def_readwrite("metrics", &ServerOptions::metrics)
      .def_readwrite("tls_certificate", &ServerOptions::tls_certificate)
      .def_readwrite("tls_key", &ServerOptions::tls_key)
      .def_readwrite("max_sessions", &ServerOptions::max_sessions)
      .def_readwrite("queue", &ServerOptions::queue)
      .def_readwrite("queue_wait", &ServerOptions::queue_wait)
      .def_readwrite("max_prepared", &ServerOptions::max_prepared)
      .def_readwrite("max_memory_bytes", &ServerOptions::max_memory_bytes)
      .def_readwrite("clients", &ServerOptions::clients)
      .def_readwrite("ledger", &ServerOptions::ledger)
      .def_readwrite("count_in_memory", &ServerOptions::count_in_memory)
      .def_readwrite("max_inferences", &ServerOptions::max_inferences)
      .def_readwrite("store", &ServerOptions::store)
      .def_readwrite("store_inferences", &ServerOptions::store_inferences)
      .def_readwrite("store_bytes", &ServerOptions::store_bytes)
      .def_readwrite("store_client_inferences", &ServerOptions::store_client_inferences)
      .def_readwrite("deadline", &ServerOptions::deadline)
      .def_readwrite("idle", &ServerOptions::idle)
      .def_readwrite("drain", &ServerOptions::drain)
      .def_readwrite("lifetime", &ServerOptions::lifetime)
      .def_property(
          "share_statistics",
          [](const ServerOptions& options) { return static_cast<int>(options.share_statistics); },
          [](ServerOptions& options, const std::string& name) {
            options.share_statistics = share_statistics(name);
          });
  py::class_<autoprivacy::Network>(module, "Network")
      .def_readonly("name", &autoprivacy::Network::name)
      .def_readonly("package_id", &autoprivacy::Network::package_id)
      .def_readonly("session_bytes", &autoprivacy::Network::session_bytes)
      .def("__repr__", [](const autoprivacy::Network& network) {
        return py::str("Network(name={!r}, package_id={!r})").format(network.name, network.package_id);
      });
  using Release = py::call_guard<py::gil_scoped_release>;
  py::class_<Server, Holder>(module, "Server")
      .def(py::init([](const py::bytes& package, const ServerOptions& options, const py::object& log) {
        return Holder(open(span_of(package), options, log).release());
      }))
      .def(py::init([](const std::filesystem::path& package, const ServerOptions& options,
                       const py::object& log) { return Holder(open(package, options, log).release()); }))
      .def("_start", &Server::start, Release())
      .def("_stop", &Server::stop, Release())
      .def_property_readonly("address", &Server::address)
      .def_property_readonly("metrics_address", &Server::metrics_address)
      .def_property_readonly("url", &Server::url)
      .def_property_readonly("fingerprint", &Server::fingerprint)
      .def_property_readonly("certificate_pem", &Server::certificate_pem)
      .def_property_readonly("package_id", &Server::package_id)
      .def_property_readonly("networks", &Server::networks)
      .def("reload", &Server::reload, Release())
      .def_property_readonly("max_sessions", &Server::max_sessions)
      .def_property_readonly("notes", &Server::notes)
      .def_property_readonly("sessions", &Server::sessions)
      .def_property_readonly("inferences", &Server::inferences);
}

}  // namespace bindings
