// The plan in a package, for a network that is known to be right.
#include "fuzz/support/bytes.h"
#include "fuzz/support/json_mutator.h"
#include "fuzz/support/target.h"
#include "package/network_json.h"
#include "protocol/hybrid/model.h"
#include "tests/package/small_package.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  static const nn::QuantisedNetwork network = nn::strip_weights(package::small_package().network);
  const nlohmann::json json = parse_json(input, "fuzz");
  const plan::Plan plan = package::plan_from_json({json, "fuzz"});
  plan::validate(plan, network);
  // A plan that is valid has a session: contexts, layouts and sizes of all messages.
  const protocol::Model model(network, plan);
  require(!model.linears().empty(), "the network has linear layers");
}

std::vector<Bytes> seeds() {
  return {bytes_of(package::plan_to_json(package::small_package().plan).dump()),
          bytes_of(package::plan_to_json(package::small_simd_package().plan).dump())};
}

const Register known({.name = "plan_json",
                      .run = run,
                      .seeds = seeds,
                      .max_bytes = 8192,
                      .dictionary = "package",
                      .largest_block_mb = 256,
                      .mutate = mutate_json_text});

}  // namespace
}  // namespace ap::fuzz
