#include "nn/data/normalization.h"

#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <set>

#include "base/error.h"

namespace ap::nn {
namespace {

constexpr std::size_t kMaxChannels = 4096;

/// The whole of `text` as a number; nothing if it is none. As std::from_chars, which Emscripten's library has for integers
/// alone; the locale of a program of WebAssembly is always "C".
std::optional<double> number(std::string_view text) {
  double value = 0;
#if defined(__EMSCRIPTEN__)
  constexpr std::string_view kFirst = "-.0123456789";
  if (text.empty() || kFirst.find(text.front()) == kFirst.npos || text.find_first_of("xX") != text.npos)
    return {};
  const std::string copy(text);
  char* end = nullptr;
  value = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size()) return {};
#else
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
#endif
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::vector<double> numbers(std::string_view list, std::string_view key) {
  std::vector<double> out;
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view item = list.substr(0, comma);
    const std::optional<double> value = number(item);
    if (!value) {
      fail_input(
          "normalization: \"{}\" in {} is not a number; write for example \"scale=255 mean=0.5 std=0.25\"",
          item, key);
    }
    out.push_back(*value);
    if (comma == std::string_view::npos) return out;
    if (out.size() >= kMaxChannels)
      fail_input("normalization: {} has more than {} values", key, kMaxChannels);
    list.remove_prefix(comma + 1);
  }
}

void check_values(const Normalization& n) {
  if (n.scale && (!std::isfinite(*n.scale) || !(*n.scale > 0))) {
    fail_input("normalization: scale is {}, but must be a positive number", *n.scale);
  }
  for (const double v : n.mean) {
    if (!std::isfinite(v)) fail_input("normalization: mean {} is not a finite number", v);
  }
  for (const double v : n.std) {
    if (!std::isfinite(v) || !(v > 0)) fail_input("normalization: std {} is not a positive number", v);
  }
}

}  // namespace

Normalization Normalization::parse(std::string_view text) {
  Normalization out;
  std::set<std::string_view> seen;
  while (true) {
    const std::size_t start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::string_view item = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(item.size());
    const std::size_t equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    if (equals == std::string_view::npos || (key != "scale" && key != "mean" && key != "std")) {
      fail_input("normalization: \"{}\" is unknown; the parts are scale=S, mean=a,b,c and std=a,b,c", item);
    }
    if (!seen.insert(key).second) fail_input("normalization: {} is given twice", key);
    std::vector<double> values = numbers(item.substr(equals + 1), key);
    if (key == "mean") {
      out.mean = std::move(values);
    } else if (key == "std") {
      out.std = std::move(values);
    } else if (values.size() == 1) {
      out.scale = values[0];
    } else {
      fail_input("normalization: scale has {} values, but takes one", values.size());
    }
  }
  check_values(out);
  return out;
}

std::string Normalization::to_string() const {
  const std::string rest = fmt::format("mean={} std={}", fmt::join(mean, ","), fmt::join(std, ","));
  return scale ? fmt::format("scale={} {}", *scale, rest) : rest;
}

void Normalization::check(int channels) const {
  check_values(*this);
  for (const auto* list : {&mean, &std}) {
    if (list->size() != 1 && list->size() != static_cast<std::size_t>(channels)) {
      fail_input("normalization: {} has {} values, but the images have {} channels",
                 list == &mean ? "mean" : "std", list->size(), channels);
    }
  }
}

}  // namespace ap::nn
