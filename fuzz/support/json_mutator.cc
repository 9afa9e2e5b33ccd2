#include "fuzz/support/json_mutator.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace ap::fuzz {
namespace {

using Json = nlohmann::json;
using Random = std::minstd_rand;

void collect(Json& json, std::vector<Json*>& nodes) {
  nodes.push_back(&json);
  if (json.is_structured()) {
    for (Json& child : json) collect(child, nodes);
  }
}

Json number(Random& random, const Json& old) {
  static const Json kExtremes[] = {0,
                                   1,
                                   -1,
                                   2,
                                   3,
                                   7,
                                   8,
                                   31,
                                   32,
                                   63,
                                   64,
                                   255,
                                   256,
                                   2048,
                                   4096,
                                   8192,
                                   65535,
                                   65536,
                                   std::numeric_limits<std::int32_t>::max(),
                                   std::numeric_limits<std::int32_t>::min(),
                                   std::uint64_t{1} << 32,
                                   std::numeric_limits<std::int64_t>::max(),
                                   std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::uint64_t>::max(),
                                   0.5,
                                   -0.5,
                                   1e300,
                                   -1e300,
                                   1e-300};
  if (old.is_number() && random() % 2 == 0) {
    const double value = old.get<double>();
    const double changed[] = {value + 1, value - 1, value * 2, value / 2, -value, value + 0.5};
    const double next = changed[random() % std::size(changed)];
    if (old.is_number_integer() && std::abs(next) < 9e18 && next == std::floor(next))
      return static_cast<std::int64_t>(next);
    return next;
  }
  return kExtremes[random() % std::size(kExtremes)];
}

Json other_value(Random& random, const Json& old) {
  switch (random() % 8) {
    case 0:
      return nullptr;
    case 1:
      return true;
    case 2:
      return "";
    case 3:
      return std::string(1 + random() % 40, static_cast<char>('a' + random() % 26));
    case 4:
      return Json::array();
    case 5:
      return Json::object();
    default:
      return number(random, old);
  }
}

void change_size(Random& random, Json& list) {
  const std::size_t at = list.empty() ? 0 : random() % list.size();
  if (list.is_object()) {
    if (!list.empty()) list.erase(std::next(list.begin(), static_cast<std::ptrdiff_t>(at)));
    return;
  }
  switch (random() % 3) {
    case 0:
      if (!list.empty()) list.erase(at);
      break;
    case 1:
      list.push_back(list.empty() ? Json(0) : Json(list[at]));
      break;
    default:
      if (list.size() > 1) std::swap(list[at], list[random() % list.size()]);
  }
}

}  // namespace

void mutate_json(Json& json, unsigned seed) {
  Random random(seed);
  std::vector<Json*> nodes;
  collect(json, nodes);
  Json& node = *nodes[random() % nodes.size()];
  if (node.is_structured() && random() % 4 != 0) return change_size(random, node);
  if (random() % 8 == 0) {
    const Json copy = *nodes[random() % nodes.size()];
    if (copy.dump().size() < 4096) node = copy;
  } else if (node.is_number() || node.is_boolean()) {
    node = random() % 4 == 0 ? other_value(random, node) : number(random, node);
  } else {
    node = other_value(random, node);
  }
}

std::size_t mutate_json_text(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  if (seed % 4 != 0) {
    Json json = Json::parse(data, data + size, nullptr, false);
    if (!json.is_discarded()) {
      mutate_json(json, seed / 4);
      const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
      if (text.size() <= max_size) {
        std::memcpy(data, text.data(), text.size());
        return text.size();
      }
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

}  // namespace ap::fuzz
