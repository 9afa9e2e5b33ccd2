// The JSON files that `report` draws: measured rows, searches, plans.
#include "fuzz/support/bytes.h"
#include "fuzz/support/json_mutator.h"
#include "fuzz/support/target.h"
#include "report/page.h"
#include "report/read_json.h"
#include "tests/report/sample_data.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const auto json = nlohmann::json::parse(input, nullptr, false);
  if (json.is_discarded()) return;
  report::Data data;
  report::read_json(json, "fuzz.json", "fuzz", data);
  report::match(data);
  // A file may hold nothing to draw; whatever else is accepted can be drawn.
  if (!data.empty()) require(!report::page(data, "fuzz").empty(), "what is accepted can be drawn");
}

std::vector<Bytes> seeds() {
  report::Json plan = report::test::results_json()["rows"][0];
  return {bytes_of(report::test::results_json().dump()), bytes_of(report::test::search_json().dump()),
          bytes_of(plan.dump())};
}

const Register known({.name = "report_json",
                      .run = run,
                      .seeds = seeds,
                      .max_bytes = 8192,
                      .dictionary = "report",
                      .mutate = mutate_json_text});

}  // namespace
}  // namespace ap::fuzz
