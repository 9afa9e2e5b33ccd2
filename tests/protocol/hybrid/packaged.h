// The server's package of a network and a plan, without a file.
#pragma once

#include <utility>

#include "package/package.h"

namespace ap::protocol::test {

inline package::Package packaged(nn::QuantisedNetwork network, plan::Plan plan) {
  package::Package p;
  p.role = Party::server;
  p.network = std::move(network);
  p.plan = std::move(plan);
  p.normalization = "scale=255 mean=0 std=1";
  p.id = package::make_packages(p).id;
  return p;
}

}  // namespace ap::protocol::test
