// The argument of --normalize.
#include "nn/data/normalization.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const auto normalization = nn::Normalization::parse(text_of(input));
  require(nn::Normalization::parse(normalization.to_string()) == normalization,
          "to_string is the inverse of parse");
}

std::vector<Bytes> seeds() {
  return {bytes_of("scale=255 mean=0.2860 std=0.3530"), bytes_of("mean=0.1,0.2,0.3 std=1,2e-1,3")};
}

const Register known(
    {.name = "normalization", .run = run, .seeds = seeds, .max_bytes = 256, .dictionary = "normalization"});

}  // namespace
}  // namespace ap::fuzz
