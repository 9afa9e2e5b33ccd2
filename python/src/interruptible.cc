#include "interruptible.h"

#include <stdexcept>

namespace bindings {
namespace {

/// Ends the work from within; nobody sees it.
struct Ended : std::runtime_error {
  Ended() : std::runtime_error("ended on request") {}
};

}  // namespace

Callable callable(py::object object) {
  if (object.is_none()) return nullptr;
  return {new py::object(std::move(object)), [](py::object* last) {
            // A thread that outlives the interpreter has nobody to give the object back to.
            if (!Py_IsInitialized()) return;
            const py::gil_scoped_acquire acquire;
            delete last;
          }};
}

autoprivacy::ProgressCallback progress_callback(const py::object& progress,
                                                std::shared_ptr<Interruption> interruption) {
  return [told = callable(progress),
          interruption = std::move(interruption)](const autoprivacy::Progress& report) {
    if (told && !interruption->wanted) {
      const py::gil_scoped_acquire acquire;
      try {
        (*told)(report);
      } catch (const py::error_already_set& error) {
        interruption->want(error);
      }
    }
    if (interruption->wanted && !report.last) throw Ended();
  };
}

bool hears_signals() {
  const py::gil_scoped_acquire acquire;
  const py::object threading = py::module_::import("threading");
  return threading.attr("current_thread")().is(threading.attr("main_thread")());
}

void check_signals(Interruption& interruption) {
  const py::gil_scoped_acquire acquire;
  if (PyErr_CheckSignals() == 0) return;
  interruption.want(py::error_already_set());
}

}  // namespace bindings
