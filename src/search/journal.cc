#include "search/journal.h"

#include <bit>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "noise/counter_random.h"
#include "noise/draw_kernels.h"

namespace ap::search {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxFileBytes = 64 << 20;
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

Environment::Memory evaluations_of(const Json& list, const Environment& environment) {
  Environment::Memory memory;
  for (const Json& j : list) {
    Evaluation e;
    e.choice = j.at("choice").get<Choice>();
    if (e.choice.size() != environment.layers()) fail_input("a choice has {} layers", e.choice.size());
    for (std::size_t i = 0; i < e.choice.size(); ++i) {
      if (e.choice[i] < 0 || static_cast<std::size_t>(e.choice[i]) >= environment.points(i).size()) {
        fail_input("layer {} has no point {}", i, e.choice[i]);
      }
    }
    const auto c = j.at("counts").get<std::vector<std::int64_t>>();
    if (c.size() != 7) fail_input("an evaluation has {} counts instead of 7", c.size());
    e.counts = {c[0], c[1], j.at("labelled").get<bool>(), c[2], c[3], c[4], c[5], c[6]};
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
    const Json json = Json::parse(bytes.begin(), bytes.end());
    if (json.at("problem").get<std::string>() != fmt::format("{:016x}", fingerprint(environment))) {
      fail_input("it belongs to another network, image set or option");
    }
    auto searched = evaluations_of(json.at("evaluations"), environment);
    auto validated = evaluations_of(json.at("validations"), environment);
    const std::size_t count = searched.size() + validated.size();
    std::optional<double> curvature;
    if (json.at("curvature").is_number()) curvature = json.at("curvature").get<double>();
    environment.remember(std::move(searched), std::move(validated), curvature);
    return count;
  } catch (const Json::exception& e) {
    fail_input("{} is not the journal of a search ({}); remove it or search without --resume", file_.string(),
               e.what());
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
