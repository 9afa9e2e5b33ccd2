#include <pybind11/chrono.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bindings.h"
#include "interruptible.h"

namespace bindings {
namespace {

using autoprivacy::Classification;
using autoprivacy::Client;
using autoprivacy::ConnectOptions;
using autoprivacy::Cost;
using autoprivacy::LayerCost;
using autoprivacy::Report;

/// The goodbye of the last reference is said without the lock.
struct CloseWithoutLock {
  void operator()(Client* client) const {
    const py::gil_scoped_release release;
    delete client;
  }
};
using Holder = std::unique_ptr<Client, CloseWithoutLock>;

/// Work in a session, which Ctrl-C ends together with the session.
template <typename Work>
auto in_session(Client& client, const Work& work) {
  return interruptible(work, std::make_shared<Interruption>(), [&] { client.interrupt(); });
}

void add_answers(py::module_& module) {
  py::class_<Cost>(module, "Cost")
      .def_readonly("seconds", &Cost::seconds)
      .def_readonly("client_cpu_seconds", &Cost::client_cpu_seconds)
      .def_readonly("server_cpu_seconds", &Cost::server_cpu_seconds)
      .def_readonly("bytes_up", &Cost::bytes_up)
      .def_readonly("bytes_down", &Cost::bytes_down);
  py::class_<LayerCost>(module, "LayerCost")
      .def_readonly("name", &LayerCost::name)
      .def_readonly("kind", &LayerCost::kind)
      .def_readonly("protocol", &LayerCost::protocol)
      .def_readonly("offline", &LayerCost::offline)
      .def_readonly("online", &LayerCost::online);
  py::class_<Report>(module, "Report")
      .def_readonly("offline", &Report::offline)
      .def_readonly("online", &Report::online)
      .def_readonly("from_store", &Report::from_store)
      .def_readonly("layers", &Report::layers);
  py::class_<Classification>(module, "Classification")
      .def_readonly("label", &Classification::label)
      .def_readonly("name", &Classification::name)
      .def_property_readonly("scores",
                             [](const Classification& answer) {
                               return py::array_t<double>(static_cast<py::ssize_t>(answer.scores.size()),
                                                          answer.scores.data());
                             })
      .def_readonly("report", &Classification::report)
      .def("__repr__", [](const Classification& answer) {
        return py::str("Classification(label={}, name={!r})").format(answer.label, answer.name);
      });
}

}  // namespace

void add_client(py::module_& module) {
  add_answers(module);
  py::class_<ConnectOptions>(module, "ConnectOptions")
      .def(py::init<>())
      .def_readwrite("trust", &ConnectOptions::trust)
      .def_readwrite("authorities", &ConnectOptions::authorities)
      .def_readwrite("token", &ConnectOptions::token)
      .def_readwrite("certificate", &ConnectOptions::certificate)
      .def_readwrite("key", &ConnectOptions::key)
      .def_readwrite("connect_wait", &ConnectOptions::connect_wait)
      .def_readwrite("deadline", &ConnectOptions::deadline)
      .def_readwrite("place_wait", &ConnectOptions::place_wait)
      .def_readwrite("store", &ConnectOptions::store)
      .def_readwrite("unit_costs", &ConnectOptions::unit_costs);
  using Release = py::call_guard<py::gil_scoped_release>;
  py::class_<Client, Holder>(module, "Client")
      .def(py::init([](const py::bytes& package) { return Holder(new Client(span_of(package))); }))
      .def(py::init([](const std::filesystem::path& package, const std::string& publisher) {
        return Holder(new Client(package, publisher));
      }))
      .def_property_readonly("input_shape",
                             [](const Client& client) {
                               const autoprivacy::Shape shape = client.input_shape();
                               return py::make_tuple(shape.channels, shape.height, shape.width);
                             })
      .def_property_readonly("classes", &Client::classes)
      .def_property_readonly("labels", &Client::labels)
      .def_property_readonly("framing", &Client::framing)
      .def_property_readonly("reveals_label", &Client::reveals_label)
      .def_property_readonly("package_id", &Client::package_id)
      .def_property_readonly("connected", &Client::connected)
      .def_property_readonly("prepared", &Client::prepared)
      .def("_connect",
           [](Client& client, const std::string& url, ConnectOptions options, const py::object& notice,
              const py::object& on_wait) {
             if (const Callable told = callable(notice)) {
               options.notice = [told](const std::string& sentence) {
                 const py::gil_scoped_acquire acquire;
                 try {
                   (*told)(sentence);
                 } catch (py::error_already_set& error) {
                   error.discard_as_unraisable("the notice of autoprivacy.Client");
                 }
               };
             }
             if (const Callable told = callable(on_wait)) {
               options.on_wait = [told](std::optional<std::size_t> before, std::chrono::seconds about) {
                 const py::gil_scoped_acquire acquire;
                 try {
                   (*told)(before, about.count());
                 } catch (py::error_already_set& error) {
                   error.discard_as_unraisable("on_wait of autoprivacy.Client");
                 }
               };
             }
             in_session(client, [&] {
               client.connect(url, options);
               return true;
             });
           })
      .def("_prepare",
           [](Client& client, std::size_t count) {
             in_session(client, [&] {
               client.prepare(count);
               return true;
             });
           })
      .def("_store",
           [](Client& client, std::size_t count) {
             return in_session(client, [&] { return client.store(count); });
           })
      .def("_classify",
           [](Client& client, const autoprivacy::Images& images, const py::object& progress) {
             const auto interruption = std::make_shared<Interruption>();
             const auto told = progress_callback(progress, interruption);
             return interruptible([&] { return client.classify(images, told); }, interruption,
                                  [&] { client.interrupt(); });
           })
      .def("_close", &Client::close, Release());
}

}  // namespace bindings
