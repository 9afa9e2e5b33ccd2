// The JSON reader in front of packages, profiles and journals: its limits, and every kind of field.
#include "base/json_reader.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/json_mutator.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

constexpr JsonLimits kLimits{.max_bytes = 4096, .max_memory = 64 << 10, .max_token = 256, .max_depth = 8};

void run(ByteView input) {
  const nlohmann::json json = parse_json(input, "fuzz", kLimits);
  require(parse_json(bytes_of(json.dump()), "again") == json, "what is read can be written and read");
  const JsonReader reader(json, "fuzz");
  require(reader.at("n").integer<int>(1, 9) <= 9, "in range");
  require(reader.at("list").integers<std::uint16_t>(4).size() <= 4, "no more than asked for");
  require(reader.at("x").number(-1, 1) <= 1, "in range");
  require(reader.at("s").text(8).size() <= 8, "no longer than asked for");
  (void)reader.at("b").boolean();
  (void)reader.at("list").element(1).integer<std::int64_t>();
}

std::vector<Bytes> seeds() {
  return {bytes_of(R"({"n":3,"list":[1,2,65535],"x":-0.5,"s":"a\u00e9","b":true,"o":{"n":null}})"),
          bytes_of("[[[[[[[[]]]]]]]]"), bytes_of(R"({"a":1,"a":2})")};
}

const Register known({.name = "json",
                      .run = run,
                      .seeds = seeds,
                      .max_bytes = 4200,
                      .dictionary = "json",
                      .mutate = mutate_json_text});

}  // namespace
}  // namespace ap::fuzz
