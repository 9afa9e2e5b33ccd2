#include "cli/common.h"

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/printable.h"
#include "base/progress.h"
#include "nn/data/labels.h"

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

void Selection::add_framing(CLI::App& command) {
  command
      .add_option(
          "--resize", resize,
          "Scale pictures (images:) so that their shorter side is S, or to exactly HxW, as torchvision's Resize does")
      ->type_name("S|HxW");
  command.add_option("--crop", crop, "Then cut out their middle, as torchvision's CenterCrop does")
      ->type_name("S|HxW");
}

nn::Framing Selection::framing(const nn::Framing& otherwise) const {
  if (resize.empty() && crop.empty()) return otherwise;
  nn::Framing out;
  if (!resize.empty()) {
    const nn::Extent extent = nn::parse_extent(resize, "--resize");
    if (resize.find('x') == std::string::npos) {
      out.shorter = extent.height;
    } else {
      out.resize = extent;
    }
  }
  if (!crop.empty()) out.crop = nn::parse_extent(crop, "--crop");
  return out;
}

nn::Range Selection::images() const {
  if (range.empty()) {
    const std::int64_t count = first > 0 ? first : default_first;
    return count > 0 ? nn::Range{0, count} : nn::Range{};
  }
  const std::size_t colon = range.find(':');
  if (colon == std::string::npos) {
    fail_input("--range {} is not understood; write A:B for the images A, A+1, ..., B-1", range);
  }
  const std::string_view text = range;
  const std::int64_t begin = parse_index(text.substr(0, colon), range),
                     end = parse_index(text.substr(colon + 1), range);
  if (begin >= end) fail_input("--range {} selects no image; write A:B with A < B", range);
  return {begin, end};
}

nn::Dataset Selection::load(const std::string& data, const NetworkEnds& ends) const {
  const nn::LoadOptions wanted{ends.form, framing(ends.framing), terminal_progress()};
  nn::Dataset loaded = nn::load_dataset(data, images(), ends.shape, wanted);
  nn::fit_labels(loaded, ends.outputs, ends.classes);
  if (!quiet) {
    for (const std::string& note : loaded.notes) say("note: " + note);
  }
  return loaded;
}

NetworkEnds ends_of(const nn::Graph& graph) {
  return {
      graph.input_shape(), graph.input_form, static_cast<std::size_t>(graph.output_shape().size()), {}, {}};
}

NetworkEnds ends_of(const package::Package& package) {
  return {package.network.input_shape(), package.network.input_form,
          static_cast<std::size_t>(package.network.output_shape().size()), package.labels,
          nn::Framing::parse(package.framing)};
}

std::string scale_note(const nn::Normalization& normalization, const nn::Dataset& data) {
  if (normalization.scale || data.floats.empty()) return {};
  const auto [low, high] = std::ranges::minmax_element(data.floats);
  const bool like_pixels = *low >= 0 && *high > 2 && *high <= 255;
  return fmt::format(
      "{} holds numbers from {:.4g} to {:.4g}, which are taken as they are (scale=1){}", data.source, *low,
      *high, like_pixels ? "; if they are pixels of 0 to 255, give --normalize \"scale=255 ...\"" : "");
}

namespace {

void write_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    fail(ErrorCode::internal, "cannot write the result to standard output");
  }
}

}  // namespace

void print(const std::string& text) { write_out(printable(text, Newlines::kept)); }

std::string printed(const Json& json) {
  return printable_json(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

void print(const Json& json) { write_out(printed(json)); }

void say(const std::string& sentence) { fmt::print(stderr, "autoprivacy: {}\n", printable(sentence)); }

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

void block_end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::string wait_for_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  return number == SIGINT ? "SIGINT" : number == SIGHUP ? "SIGHUP" : "SIGTERM";
}

Json phase_json(const cost::PhaseCost& phase) {
  return {{"seconds", phase.seconds},
          {"client_cpu_s", phase.client_cpu_s},
          {"server_cpu_s", phase.server_cpu_s},
          {"bytes_up", std::llround(phase.bytes_up)},
          {"bytes_down", std::llround(phase.bytes_down)}};
}

}  // namespace ap::cli
