// Handlers that keep their object alive and their exceptions to themselves.
#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <utility>

namespace ap::net {

/// `handler`, to be called later with `self` still alive. What it throws (memory that ran out, or a defect)
/// is the affair of one connection: self->failed(exception) is called instead of anything reaching the
/// thread.
template <typename Self, typename Handler>
auto contained(std::shared_ptr<Self> self, Handler handler) {
  return [ self = std::move(self), handler = std::move(handler) ](
      auto&&... arguments) mutable requires std::invocable<Handler&, decltype(arguments)...> {
    try {
      handler(std::forward<decltype(arguments)>(arguments)...);
    } catch (const std::exception& error) {
      self->failed(error);
    }
  };
}

}  // namespace ap::net
