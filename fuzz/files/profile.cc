// The cached profile of a machine.
#include "analysis/profile/profile_cache.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/json_mutator.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const cost::Profile profile = cost::parse_profile(text_of(input));
  require(cost::parse_profile(cost::to_json(profile)) == profile, "a profile survives writing and reading");
}

std::vector<Bytes> seeds() { return {bytes_of(cost::to_json(cost::typical_profile()))}; }

const Register known(
    {.name = "profile", .run = run, .seeds = seeds, .max_bytes = 16384, .mutate = mutate_json_text});

}  // namespace
}  // namespace ap::fuzz
