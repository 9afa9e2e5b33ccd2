#include "cli/he_infer.h"

#include <algorithm>
#include <cmath>

#include "app/client.h"
#include "app/he/simulate.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/printable.h"
#include "base/progress.h"
#include "cli/infer_report.h"
#include "cli/table.h"
#include "nn/data/accuracy.h"
#include "nn/data/labels.h"

namespace ap::cli {
namespace {

NetworkEnds ends_of_he(const he_only::Package& package) {
  NetworkEnds ends;
  ends.shape = package.shared.ends.input.shape;
  ends.form = package.shared.form;
  ends.outputs = package.shared.classes();
  ends.classes = package.shared.labels;
  ends.framing = nn::Framing::parse(package.shared.framing);
  return ends;
}

std::string name_of(const he_only::Package& package, std::size_t label) {
  const std::vector<std::string>& labels = package.shared.labels;
  return label < labels.size() ? labels[label] : std::to_string(label);
}

struct Results {
  std::vector<std::vector<double>> scores;
  std::vector<int> labels;
  protocol::Cost keys, image;  ///< of all images, a mean
  double first_s = 0;          ///< keys and first image
};

}  // namespace

void infer_he(
    const HeInferArguments& arguments,
    const std::function<void(const std::function<void(net::Channel&, const protocol::he::ClientOptions&)>&)>&
        connected) {
  const he_only::Package& package = arguments.package;
  he_only::require_secure(package.shared);
  const auto normalization = nn::Normalization::parse(package.shared.normalization);
  nn::Dataset data = arguments.selection.load(arguments.data, ends_of_he(package));
  if (const auto note = scale_note(normalization, data); !note.empty()) say("note: " + note);
  std::optional<he_only::Package> clear;
  if (!arguments.check.empty()) {
    clear = he_only::load(arguments.check, Party::server);
    if (clear->id != package.id) {
      fail_input("{} belongs to another compilation than this client.apm; compile the network again",
                 arguments.check);
    }
  }
  Results results;
  connected([&](net::Channel& channel, const protocol::he::ClientOptions& given) {
    results = {};
    protocol::he::ClientOptions options = given;
    Progress bar("inference", data.size() * package.shared.steps, terminal_progress());
    options.on_step = [&](std::size_t, std::size_t) { bar.advance(1); };
    protocol::he::ClientSession session(package, channel, options);
    session.send_keys();
    results.keys = session.keys_cost();
    for (std::size_t i = 0; i < data.size(); ++i) {
      nn::Tensor image = data.input(i, normalization);
      const SecretVector<double> scores = session.infer(image.data);
      wipe(image.data.data(), image.data.size() * sizeof(float));
      results.scores.emplace_back(scores.begin(), scores.end());
      const protocol::Cost& cost = session.image_cost();
      if (i == 0) results.first_s = results.keys.seconds + cost.seconds;
      results.image += cost;
    }
    session.finish();
  });
  const auto count = static_cast<double>(data.size());
  results.image.seconds /= count;
  results.image.client_cpu_s /= count;
  results.image.bytes_up /= data.size();
  results.image.bytes_down /= data.size();
  for (const auto& scores : results.scores)
    results.labels.push_back(nn::argmax(std::span<const double>(scores)));
  std::optional<double> top1, agree, largest;
  if (data.has_labels()) top1 = nn::top1(results.labels, data.labels);
  if (clear) {
    const app::he::ClearRun run = app::he::run_clear(*clear, data);
    agree = nn::top1(results.labels, run.labels);
    largest = 0;
    for (std::size_t i = 0; i < run.scores.size(); ++i) {
      for (std::size_t j = 0; j < run.scores[i].size(); ++j)
        largest = std::max(*largest, std::abs(run.scores[i][j] - results.scores[i][j]));
    }
  }
  const auto value = [](const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); };
  if (arguments.json) {
    Json answers = Json::array();
    for (std::size_t i = 0; i < data.size(); ++i) {
      answers.push_back({{"input", input_name(data, i)},
                         {"label", results.labels[i]},
                         {"name", name_of(package, static_cast<std::size_t>(results.labels[i]))},
                         {"scores", results.scores[i]}});
    }
    print(Json{{"protocol", "he"},
               {"images", data.size()},
               {"top1", value(top1)},
               {"agree_clear", value(agree)},
               {"max_abs_score_error", value(largest)},
               {"labels", results.labels},
               {"answers", answers},
               {"offline", cost_json(results.keys, false)},
               {"online", cost_json(results.image, false)},
               {"bytes_keys", results.keys.bytes_up},
               {"first_answer_s", results.first_s},
               {"messages", {{"offline", 2}, {"online", 2}}},
               {"predicted_s", package.shared.predicted_s},
               {"peak_rss_bytes", memory_json(app::peak_rss_bytes(), 0)}});
    return;
  }
  std::string out;
  for (std::size_t i = 0; i < data.size(); ++i) {
    out += printable_input(data, i) + ":";
    for (const std::size_t label : nn::top_k(std::span<const double>(results.scores[i]), arguments.top)) {
      out += fmt::format("  {} ({:.2f})", printable(name_of(package, label)), results.scores[i][label]);
    }
    out += "\n";
  }
  out += fmt::format("\nkeys: {} in {}; each image {} up, {} down, {}; first answer after {}\n",
                     format_bytes(static_cast<double>(results.keys.bytes_up)),
                     format_seconds(results.keys.seconds),
                     format_bytes(static_cast<double>(results.image.bytes_up)),
                     format_bytes(static_cast<double>(results.image.bytes_down)),
                     format_seconds(results.image.seconds), format_seconds(results.first_s));
  if (top1) out += fmt::format("top-1 {:.2f} % of {} images\n", 100 * *top1, data.size());
  if (agree)
    out += fmt::format("same label as in the clear {:.2f} %, scores at most {:.3g} apart\n", 100 * *agree,
                       *largest);
  print(out);
}

void simulate_he(const std::string& path, const std::string& argument, const Selection& selection, int seeds,
                 std::uint64_t first_seed, bool json) {
  const he_only::Package package = he_only::load(path, Party::server);
  const nn::Dataset data = selection.load(argument, ends_of_he(package));
  const app::he::Simulation s = app::he::simulate(package, data, seeds, first_seed, terminal_progress());
  const auto value = [](const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); };
  if (json) {
    print(Json{{"package_id", package::to_hex(package.id)},
               {"protocol", "he"},
               {"images", s.images},
               {"seeds", seeds},
               {"top1", value(s.top1)},
               {"top1_clear", value(s.top1_clear)},
               {"agreement", s.agreement},
               {"overflows", s.overflows},
               {"seconds", s.seconds}});
    return;
  }
  std::string out = fmt::format("{} images, {} seeds\n", s.images, seeds);
  if (s.top1)
    out += fmt::format("top-1 without errors    {:.2f} %\ntop-1 with errors       {:.2f} %\n",
                       100 * *s.top1_clear, 100 * *s.top1);
  out += fmt::format("same label              {:.2f} %\nimages beyond a range   {}\nsimulated in {:.1f} s\n",
                     100 * s.agreement, s.overflows, s.seconds);
  print(out);
}

void inspect_he(const std::string& path, bool json) {
  const he_only::Package package = he_only::load(path);
  const he_only::Public& shared = package.shared;
  std::size_t rotations = 0;
  for (const he_only::ContextKeys& keys : shared.program.keys) rotations += keys.elements.size();
  const he_only::Contexts contexts(shared.program, shared.ring);
  std::uint64_t key_bytes = 0;
  for (const std::uint64_t bytes : he_only::EvaluationKeys(shared.program, contexts).part_bytes())
    key_bytes += bytes;
  const double lambda = he_only::require_secure(shared);
  const std::uint32_t n = shared.program.contexts.front().n;
  if (json) {
    print(Json{{"package_id", package::to_hex(package.id)},
               {"protocol", "he"},
               {"role", package.role == Party::client ? "client" : "server"},
               {"network", shared.network},
               {"n", n},
               {"log2_qp", shared.program.log2_qp()},
               {"lambda_bits", lambda},
               {"rotation_keys", rotations},
               {"keys_bytes", key_bytes},
               {"bootstraps", shared.program.bootstraps},
               {"inferences", shared.inferences},
               {"bound_bits_per_weight", shared.bits_per_weight},
               {"score_error", shared.score_error},
               {"predicted_s", shared.predicted_s}});
    return;
  }
  print(fmt::format(
      "{} package {} of {}, for homomorphic encryption alone\n{} in, {} classes, {} steps, {} bootstraps\nring of degree {}, modulus of "
      "{:.0f} bits, {:.1f} bits of security\n{} rotation keys, {} of keys in all\n{} inferences keep {:.4f} bits a weight; scores "
      "are exact to {:.2g}; predicted {} an image on one core\n",
      package.role == Party::client ? "client's" : "server's", package::to_hex(package.id),
      printable(shared.network), nn::to_string(shared.ends.input.shape), shared.classes(), shared.steps,
      shared.program.bootstraps, n, shared.program.log2_qp(), lambda, rotations,
      format_bytes(static_cast<double>(key_bytes)), shared.inferences, shared.bits_per_weight,
      shared.score_error, format_seconds(shared.predicted_s)));
}

}  // namespace ap::cli
