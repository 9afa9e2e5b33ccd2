// The structure of a network in a package.
#include "package/network_json.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/json_mutator.h"
#include "fuzz/support/target.h"
#include "package/small_package.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const auto json = nlohmann::json::parse(input, nullptr, false);
  if (json.is_discarded()) return;
  try {
    const nn::QuantisedNetwork network = package::network_from_json(json);
    nn::validate(network, nn::WeightsRule::absent);
    require(package::network_to_json(package::network_from_json(package::network_to_json(network))) ==
                package::network_to_json(network),
            "a network survives writing and reading");
  } catch (const nlohmann::json::exception&) {  // package::parse makes a sentence of it
  }
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
