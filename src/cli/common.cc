#include "cli/common.h"

#include <signal.h>

#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/printable.h"

namespace ap::cli {
namespace {

std::int64_t parse_index(std::string_view text, const std::string& whole) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    fail_input("--range {} is not understood; write A:B for the images A, A+1, ..., B-1", whole);
  }
  return value;
}

}  // namespace

void Selection::add_options(CLI::App& command) {
  auto* first_option = command.add_option("--first", first, "Use the first N images")
                           ->check(CLI::PositiveNumber)
                           ->type_name("N");
  command.add_option("--range", range, "Use images A to B-1")->type_name("A:B")->excludes(first_option);
}

nn::Dataset Selection::load(const std::string& data, const nn::Shape& expected) const {
  if (range.empty()) {
    const std::int64_t count = first > 0 ? first : default_first;
    return count > 0 ? nn::load_dataset(data, {0, count}, expected) : nn::load_dataset(data, {}, expected);
  }
  const std::size_t colon = range.find(':');
  if (colon == std::string::npos) {
    fail_input("--range {} is not understood; write A:B for the images A, A+1, ..., B-1", range);
  }
  const std::string_view text = range;
  const std::int64_t begin = parse_index(text.substr(0, colon), range),
                     end = parse_index(text.substr(colon + 1), range);
  if (begin >= end) fail_input("--range {} selects no image; write A:B with A < B", range);
  return nn::load_dataset(data, {begin, end}, expected);
}

namespace {

void write_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    fail(ErrorCode::internal, "cannot write the result to standard output");
  }
}

}  // namespace

void print(const std::string& text) { write_out(printable(text, Newlines::kept)); }

void print(const Json& json) {
  write_out(printable_json(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n");
}

void say(const std::string& sentence) { fmt::print(stderr, "autoprivacy: {}\n", printable(sentence)); }

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

void block_end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::string wait_for_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  return number == SIGINT ? "SIGINT" : "SIGTERM";
}

Json phase_json(const cost::PhaseCost& phase) {
  return {{"seconds", phase.seconds},
          {"client_cpu_s", phase.client_cpu_s},
          {"server_cpu_s", phase.server_cpu_s},
          {"bytes_up", std::llround(phase.bytes_up)},
          {"bytes_down", std::llround(phase.bytes_down)}};
}

}  // namespace ap::cli
