// infer and simulate with packages of homomorphic encryption alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/common.h"
#include "he_only/package/package.h"
#include "protocol/he/client.h"

namespace ap::cli {

struct HeInferArguments {
  const he_only::Package& package;
  std::string data;
  Selection selection;
  std::string check;  ///< server.apm to compare with in the clear, or empty
  std::size_t top = 3;
  bool json = false;
};
/// `connected` calls what it gets with a channel to the server and what to tell it.
void infer_he(
    const HeInferArguments& arguments,
    const std::function<void(const std::function<void(net::Channel&, const protocol::he::ClientOptions&)>&)>&
        connected);

void simulate_he(const std::string& package, const std::string& data, const Selection& selection, int seeds,
                 std::uint64_t first_seed, bool json);

/// What there is to know of such a package without keys.
void inspect_he(const std::string& package, bool json);

}  // namespace ap::cli
