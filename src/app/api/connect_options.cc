#include "app/api/connect_options.h"

#include <utility>

namespace ap::app {

ConnectOptions connect_options(std::string url, const autoprivacy::ConnectOptions& options) {
  ConnectOptions wanted;
  wanted.url = std::move(url);
  wanted.trust = options.trust;
  wanted.authorities = options.authorities;
  wanted.certificate = options.certificate;
  wanted.key = options.key;
  wanted.token.assign(options.token.begin(), options.token.end());
  wanted.wait = options.connect_wait;
  wanted.deadline = options.deadline;
  wanted.may_queue = options.place_wait.count() > 0;
  return wanted;
}

}  // namespace ap::app
