// Calls that take long, made so that the interpreter goes on: other Python threads run, and Ctrl-C is heard.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <autoprivacy/progress.h>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace bindings {

namespace py = pybind11;

/// A Python callable that C++ may copy, call and forget on any thread.
using Callable = std::shared_ptr<py::object>;
/// Null for None. With the lock held.
Callable callable(py::object object);

/// How one call learns that it is to end: by Ctrl-C, or because the caller's own callback has raised.
struct Interruption {
  std::atomic<bool> wanted{false};
  std::exception_ptr reason;  ///< a py::error_already_set; written before `wanted`, with the lock held
  /// With the lock held, while an exception of Python is being handled.
  void want(const py::error_already_set& error) {
    if (wanted) return;
    reason = std::make_exception_ptr(error);
    wanted = true;
  }
};

/// Tells `progress` (None: nobody) how far the work is, and ends the work when it is wanted.
autoprivacy::ProgressCallback progress_callback(const py::object& progress,
                                                std::shared_ptr<Interruption> interruption);

/// Whether signals come to this thread: it is the interpreter's first.
bool hears_signals();

/// Throws what Python says to a signal that has come, if it raises. Takes the lock.
void check_signals(Interruption& interruption);

/// What `work` returns, which is done without the interpreter's lock. On the thread that hears signals the work is done
/// beside it; `cancel` is called there, without the lock, once a signal has raised, and the work is waited for.
template <typename Work>
auto interruptible(const Work& work, const std::shared_ptr<Interruption>& interruption,
                   const std::function<void()>& cancel = {}) {
  using Result = decltype(work());
  std::optional<Result> result;
  std::exception_ptr failure;
  const auto attempt = [&] {
    try {
      result.emplace(work());
    } catch (...) {
      failure = std::current_exception();
    }
  };
  {
    const py::gil_scoped_release release;
    if (!hears_signals()) {
      attempt();
    } else {
      std::mutex mutex;
      std::condition_variable changed;
      bool done = false;
      std::thread worker([&] {
        attempt();
        const std::lock_guard lock(mutex);
        done = true;
        changed.notify_one();
      });
      std::unique_lock lock(mutex);
      while (!changed.wait_for(lock, std::chrono::milliseconds(50), [&] { return done; })) {
        lock.unlock();
        const bool before = interruption->wanted;
        check_signals(*interruption);
        if (interruption->wanted && !before && cancel) cancel();
        lock.lock();
      }
      lock.unlock();
      worker.join();
    }
  }
  if (interruption->wanted) std::rethrow_exception(interruption->reason);
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

}  // namespace bindings
