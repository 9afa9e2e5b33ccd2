#include "analysis/profile/profile_cache.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/profile/profile_measure.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json_reader.h"
#include "base/parallel.h"

namespace ap::cost {
namespace {

using Json = nlohmann::ordered_json;

// Raised whenever a unit cost changes its meaning or a kernel its speed.
constexpr int kProfileVersion = 4;
constexpr std::uint64_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxRings = 256, kMaxMachineBytes = 1024;

/// Names and places of all figures of a structure, for writing and reading alike.
template <typename Ring, typename Visit>
void visit_ring(Ring& r, const Visit& visit) {
  visit("key_client", r.key_client);
  visit("key_server", r.key_server);
  visit("upload_client", r.upload_client);
  visit("upload_server", r.upload_server);
  visit("product", r.product);
  visit("reply_server", r.reply_server);
  visit("reply_server_output", r.reply_server_output);
  visit("reply_client", r.reply_client);
  visit("reply_client_output", r.reply_client_output);
}

template <typename P, typename Visit>
void visit_figures(P& p, const Visit& visit) {
  visit("columns_bit_server", p.garbling.columns_bit_server);
  visit("columns_bit_client", p.garbling.columns_bit_client);
  visit("garble_element", p.garbling.garble_element);
  visit("garble_bit", p.garbling.garble_bit);
  visit("garble_and", p.garbling.garble_and);
  visit("answer_bit", p.garbling.answer_bit);
  visit("request_bit", p.garbling.request_bit);
  visit("evaluate_element", p.garbling.evaluate_element);
  visit("evaluate_bit", p.garbling.evaluate_bit);
  visit("evaluate_and", p.garbling.evaluate_and);
  visit("small_row_sender", p.ot.small_row_sender);
  visit("small_row_receiver", p.ot.small_row_receiver);
  visit("large_row_sender", p.ot.large_row_sender);
  visit("large_row_receiver", p.ot.large_row_receiver);
  visit("table_sender", p.ot.table_sender);
  visit("table_receiver", p.ot.table_receiver);
  visit("bit_sender", p.ot.bit_sender);
  visit("bit_receiver", p.ot.bit_receiver);
  visit("word_sender", p.ot.word_sender);
  visit("word_receiver", p.ot.word_receiver);
  visit("online_element_client", p.ot.online_element_client);
  visit("online_element_server", p.ot.online_element_server);
  visit("online_bit_client", p.ot.online_bit_client);
  visit("online_bit_server", p.ot.online_bit_server);
  visit("batched_transform", p.simd.transform_s);
  visit("batched_pass", p.simd.pass_s);
  visit("batched_stream", p.simd.stream_s);
  visit("batched_move", p.simd.move_s);
  visit("batched_load", p.simd.load_s);
  visit("batched_encrypt", p.simd.encrypt_s);
  visit("batched_slots", p.simd.slots_s);
  visit("clear_many_pixels", p.clear.many_pixels);
  visit("clear_few_pixels", p.clear.few_pixels);
  visit("clear_depthwise", p.clear.depthwise);
  visit("byte_up", p.network.byte_up);
  visit("byte_down", p.network.byte_down);
  visit("message", p.network.message);
  visit("round_trip", p.network.round_trip);
  visit("base_sender", p.base_sender);
  visit("base_receiver", p.base_receiver);
  visit("share_element", p.share_element);
  visit("fresh_byte", p.fresh_byte);
  visit("first_byte", p.first_byte);
  visit("loop", p.loop);
}

}  // namespace

std::string machine_name() {
  std::string name = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const std::size_t at = line.find(": ");
    if (at != std::string::npos) name = line.substr(at + 2);
    break;
  }
  const CpuFeatures& f = cpu();
  return fmt::format("{}, {} threads, {}", name, thread_count(),
                     f.ifma     ? "ifma"
                     : f.avx512 ? "avx512"
                     : f.avx2   ? "avx2"
                                : "scalar");
}

std::filesystem::path default_cache_path() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path base;
  if (cache && *cache == '/') {
    base = cache;
  } else if (home && *home == '/') {
    base = std::filesystem::path(home) / ".cache";
  } else {
    return {};
  }
  return base / "autoprivacy" / "profile.json";
}

std::string to_json(const Profile& profile) {
  Json json = {{"version", kProfileVersion}, {"machine", profile.machine}, {"cores", profile.cores}};
  visit_figures(profile, [&](const char* name, const double& value) { json["seconds"][name] = value; });
  json["rings"] = Json::array();
  for (const RingCosts& ring : profile.rings) {
    Json object = {{"n", ring.n}, {"primes", ring.primes}, {"prime_bits", ring.prime_bits}};
    visit_ring(ring, [&](const char* name, const double& value) { object[name] = value; });
    json["rings"].push_back(std::move(object));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Profile parse_profile(const std::string& text) {
  const std::string what = "the profile (`autoprivacy profile` makes a new one)";
  const nlohmann::json tree = parse_json({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()},
                                         what, {.max_bytes = kMaxFileBytes});
  const JsonReader json(tree, what);
  json.at("version").integer<int>(kProfileVersion, kProfileVersion);
  Profile profile;
  profile.machine = json.at("machine").text(kMaxMachineBytes);
  profile.cores = json.at("cores").integer<int>(1, 1024);
  // Seconds of one unit of work.
  const auto reads_from = [](const JsonReader& object) {
    return [&object](const char* name, double& value) { value = object.at(name).number(0, 1); };
  };
  const JsonReader seconds = json.at("seconds");
  visit_figures(profile, reads_from(seconds));
  const JsonReader rings = json.at("rings");
  const std::size_t count = rings.size(kMaxRings);
  if (count == 0) rings.refuse("an array that is not empty");
  for (std::size_t i = 0; i < count; ++i) {
    const JsonReader object = rings.element(i);
    RingCosts ring;
    ring.n = object.at("n").integer<std::uint32_t>(16, 65536);
    ring.primes = object.at("primes").integer<int>(1, 16);
    ring.prime_bits = object.at("prime_bits").integer<int>(1, 60);
    visit_ring(ring, reads_from(object));
    profile.rings.push_back(ring);
  }
  return profile;
}

std::optional<Profile> load_profile(const std::filesystem::path& path) {
  std::error_code error;
  if (path.empty() || !std::filesystem::is_regular_file(path, error)) return std::nullopt;
  try {
    const Bytes bytes = read_file(path, kMaxFileBytes);
    Profile profile = parse_profile(std::string(bytes.begin(), bytes.end()));
    if (profile.machine != machine_name()) return std::nullopt;
    return profile;
  } catch (const Error&) {
    return std::nullopt;  // as if there were none: a new one replaces it
  }
}

bool save_profile(const Profile& profile, const std::filesystem::path& path) {
  if (path.empty()) return false;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  const std::string text = to_json(profile);
  try {
    write_file(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, Readers::everyone);
    return true;
  } catch (const Error&) {
    return false;
  }
}

Profile machine_profile(const std::filesystem::path& path, const std::function<Profile()>& measure) {
  if (std::optional<Profile> cached = load_profile(path)) return *std::move(cached);
  Profile profile = measure();
  save_profile(profile, path);
  return profile;
}

Profile machine_profile(bool progress) {
  return machine_profile(default_cache_path(), [progress] { return measure_profile(progress); });
}

Profile cached_profile(const std::filesystem::path& path) {
  return load_profile(path).value_or(typical_profile());
}

}  // namespace ap::cost
