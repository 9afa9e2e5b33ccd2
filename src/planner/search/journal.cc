#include "planner/search/journal.h"

#include <bit>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/noise/counter_random.h"
#include "analysis/noise/draw_kernels.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json_reader.h"

namespace ap::search {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxFileBytes = 64 << 20, kMaxTreeBytes = 256 << 20;
constexpr std::size_t kMaxEvaluations = 1'000'000, kFingerprintDigits = 16;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 53;
constexpr double kMaxCurvature = 1e30;
// Simulations between two writes.
constexpr int kEvery = 4;

class Hash {
 public:
  void add(std::uint64_t word) { state_ = noise::counter_bits(state_ ^ word, 1); }
  void add(double v) { add(std::bit_cast<std::uint64_t>(v)); }
  template <typename T>
  void add_all(std::span<const T> values) {
    add(static_cast<std::uint64_t>(values.size()));
    for (const T v : values) add(static_cast<std::uint64_t>(v));
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

Json evaluations_json(const Environment::Memory& memory) {
  Json list = Json::array();
  for (const auto& [choice, e] : memory) {
    const Counts& c = e.counts;
    list.push_back({{"choice", choice},
                    {"counts", {c.images, c.seeds, c.clear_right, c.right, c.squares, c.wrapped, c.changed}},
                    {"labelled", c.labelled},
                    {"loss", e.loss()},
                    {"seconds", e.seconds},
                    {"bytes", e.bytes}});
  }
  return list;
}

Environment::Memory evaluations_of(const JsonReader& list, const Environment& environment) {
  Environment::Memory memory;
  const std::size_t count = list.size(kMaxEvaluations);
  for (std::size_t at = 0; at < count; ++at) {
    const JsonReader j = list.element(at);
    Evaluation e;
    const JsonReader choice = j.at("choice");
    choice.expect_size(environment.layers());
    for (std::size_t i = 0; i < environment.layers(); ++i) {
      e.choice.push_back(
          choice.element(i).integer<int>(0, static_cast<int>(environment.points(i).size()) - 1));
    }
    j.at("counts").expect_size(7);
    const auto c = j.at("counts").integers<std::int64_t>(7, 0, kMaxCount);
    e.counts = {c[0], c[1], j.at("labelled").boolean(), c[2], c[3], c[4], c[5], c[6]};
    e.seconds = environment.seconds(e.choice);
    e.bytes = environment.bytes(e.choice);
    memory.emplace(e.choice, e);
  }
  return memory;
}

}  // namespace

std::uint64_t fingerprint(const Environment& environment) {
  Hash hash;
  hash.add(noise::kDrawVersion);
  const Problem& problem = environment.problem();
  for (const nn::QNode& node : problem.network->nodes) {
    hash.add(static_cast<std::uint64_t>(node.op.index()));
    if (const auto* op = std::get_if<nn::QLinear>(&node.op)) {
      hash.add_all(std::span<const std::int16_t>(op->weights));
      hash.add_all(std::span<const std::int64_t>(op->bias));
    }
  }
  for (const Images* images : {&problem.search, &problem.held_out}) {
    hash.add_all(std::span<const std::int32_t>(images->pixels));
    hash.add_all(std::span<const int>(images->labels));
  }
  hash.add_all(std::span<const std::uint64_t>(problem.options.seeds));
  hash.add_all(std::span<const std::uint64_t>(problem.options.held_out_seeds));
  for (std::size_t i = 0; i < environment.layers(); ++i) {
    for (const Point& p : environment.points(i)) hash.add(p.error), hash.add(p.seconds);
  }
  return hash.value();
}

Journal::Journal(std::filesystem::path file, std::string policy, bool writes)
    : file_(std::move(file)), policy_(std::move(policy)), writes_(writes) {}

std::size_t Journal::resume(Environment& environment) const {
  if (!std::filesystem::exists(file_)) return 0;
  const Bytes bytes = read_file(file_, kMaxFileBytes);
  try {
    const std::string what = "its text";
    const Json tree = parse_json(bytes, what, {.max_bytes = kMaxFileBytes, .max_memory = kMaxTreeBytes});
    const JsonReader json(tree, what);
    if (json.at("problem").text(kFingerprintDigits) != fmt::format("{:016x}", fingerprint(environment))) {
      fail_input("it belongs to another network, image set or option");
    }
    auto searched = evaluations_of(json.at("evaluations"), environment);
    auto validated = evaluations_of(json.at("validations"), environment);
    const std::size_t count = searched.size() + validated.size();
    std::optional<double> curvature;
    if (!json.at("curvature").is_null())
      curvature = json.at("curvature").number(-kMaxCurvature, kMaxCurvature);
    environment.remember(std::move(searched), std::move(validated), curvature);
    return count;
  } catch (const Error& e) {
    fail_input("{} cannot be resumed: {}; remove it or search without --resume", file_.string(), e.what());
  }
}

void Journal::follow(Environment& environment) {
  auto count = std::make_shared<int>(0);
  environment.on_simulation([this, &environment, count] {
    if (++*count % kEvery == 0) write(environment, nullptr);
  });
}

void Journal::finish(Environment& environment, const Result& result) { write(environment, &result); }

void Journal::write(Environment& environment, const Result* result) const {
  if (!writes_) return;
  Json json = {{"version", 1},
               {"policy", policy_},
               {"problem", fmt::format("{:016x}", fingerprint(environment))},
               {"curvature", environment.curvature() ? Json(*environment.curvature()) : Json(nullptr)},
               {"finished", result != nullptr},
               {"evaluations", evaluations_json(environment.evaluations())},
               {"validations", evaluations_json(environment.validations())}};
  if (result) {
    Json trace = Json::array();
    for (const TraceEntry& t : result->trace) {
      trace.push_back({{"episode", t.episode},
                       {"reward", t.reward},
                       {"seconds", t.seconds},
                       {"loss", t.loss},
                       {"expected_loss", t.expected_loss}});
    }
    json["trace"] = std::move(trace);
    json["choice"] = result->choice;
    json["tightened"] = result->tightened;
    json["search_s"] = result->seconds;
  }
  const std::string text = json.dump(1) + "\n";
  write_file(file_, ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace ap::search
