// The structure of a network in a package.
#include "package/network_json.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/json_mutator.h"
#include "fuzz/support/target.h"
#include "tests/package/small_package.h"

namespace ap::fuzz {
namespace {

nn::QuantisedNetwork read(const nlohmann::json& json) { return package::network_from_json({json, "fuzz"}); }

void run(ByteView input) {
  const nn::QuantisedNetwork network = read(parse_json(input, "fuzz"));
  nn::validate(network, nn::WeightsRule::absent);
  const nlohmann::json written = package::network_to_json(network);
  require(package::network_to_json(read(written)) == written, "a network survives writing and reading");
}

std::vector<Bytes> seeds() {
  return {bytes_of(package::network_to_json(package::small_package().network).dump())};
}

const Register known({.name = "network_json",
                      .run = run,
                      .seeds = seeds,
                      .max_bytes = 8192,
                      .dictionary = "package",
                      .mutate = mutate_json_text});

}  // namespace
}  // namespace ap::fuzz
