#include "app/client.h"

#include <algorithm>
#include <limits>
#include <map>

#include "analysis/prediction/choose_protocols.h"
#include "base/clock.h"
#include "base/error.h"
#include "nn/data/accuracy.h"
#include "nn/execute/preprocess.h"

namespace ap::app {
namespace {

void divide(protocol::Cost& cost, double count) {
  cost.seconds /= count;
  cost.client_cpu_s /= count;
  cost.server_cpu_s /= count;
  cost.bytes_up = static_cast<std::uint64_t>(static_cast<double>(cost.bytes_up) / count + 0.5);
  cost.bytes_down = static_cast<std::uint64_t>(static_cast<double>(cost.bytes_down) / count + 0.5);
}

/// Notes in `link` what the choice was made for.
protocol::ClientOptions client_options(const SessionOptions& wanted,
                                       std::shared_ptr<std::optional<protocol::Link>> link) {
  protocol::ClientOptions options;
  options.patience = wanted.patience;
  options.on_wait = wanted.on_wait;
  options.choose = [choose = protocol::chooser_of(wanted.profile), link = std::move(link)](
                       const protocol::Model& model, const protocol::Link& measured) {
    *link = measured;
    return choose(model, measured);
  };
  return options;
}

}  // namespace

std::string sentence_of(const protocol::Waiting& waiting) {
  if (waiting.place == 0)
    return fmt::format("the server and its queue are full; trying again in {} s", waiting.about.count());
  return fmt::format("waiting for a place at the server: {} before this client, about {} s",
                     waiting.place == 1   ? std::string("none")
                     : waiting.place == 2 ? std::string("1 client")
                                          : fmt::format("{} clients", waiting.place - 1),
                     waiting.about.count());
}

protocol::Report mean_report(std::span<const protocol::Report> reports) {
  AP_ASSERT(!reports.empty());
  protocol::Report mean = reports.front();
  for (const protocol::Report& report : reports.subspan(1)) {
    AP_ASSERT(report.layers.size() == mean.layers.size());
    mean.offline += report.offline;
    mean.online += report.online;
    mean.from_store += report.from_store;
    mean.server_told = mean.server_told && report.server_told;
    mean.server_peak_rss = std::max(mean.server_peak_rss, report.server_peak_rss);
    for (std::size_t i = 0; i < mean.layers.size(); ++i) {
      mean.layers[i].offline += report.layers[i].offline;
      mean.layers[i].online += report.layers[i].online;
    }
  }
  const auto count = static_cast<double>(reports.size());
  divide(mean.offline, count);
  divide(mean.online, count);
  for (protocol::LayerCost& layer : mean.layers) {
    divide(layer.offline, count);
    divide(layer.online, count);
  }
  return mean;
}

InferenceSession::InferenceSession(const package::Package& package, net::Channel& channel,
                                   SessionOptions options)
    : options_(std::move(options)),
      model_(package.network, package.plan),
      session_(model_, package.id, channel, client_options(options_, link_)) {}

std::string InferenceSession::choice() const {
  std::map<std::string, std::size_t> counts;
  for (const protocol::LayerCost& layer : report().layers) {
    if (layer.op != "linear") ++counts[layer.protocol];
  }
  if (counts.empty()) return "the network has no activations";
  std::string by;
  for (const auto& [protocol, count] : counts)
    by += fmt::format("{}{} by {}", by.empty() ? "activations: " : ", ", count, protocol);
  if (report().from_store > 0) return by + ", as when they were prepared";
  if (!*link_) return by + ", as the package says";
  const double megabits = (*link_)->bytes_per_second * 8e-6, milliseconds = (*link_)->round_trip_s * 1e3;
  const bool near = (*link_)->bytes_per_second > protocol::kNearBytesPerSecond &&
                    (*link_)->round_trip_s < protocol::kNearRoundTrip;
  return fmt::format(
      "{}, the faster on {} (measured: {:.0f} Mbit/s, round trip {:.2f} ms) by the unit costs of {}", by,
      near ? "one machine or a link as fast" : "this link", megabits, milliseconds, options_.profile.machine);
}

void InferenceSession::store() {
  if (!options_.store)
    fail_input("this session has no store; open it with one to prepare for later sessions");
  session_.store(*options_.store);
}

/// Makes the oldest stored inference that both parties can use the next of the session, if there is one.
void InferenceSession::take_stored() {
  using Use = protocol::ClientSession::Use;
  for (const protocol::PreprocessingId& id : options_.store->ids()) {
    if (strange_.contains(id)) continue;
    try {
      const Use use = session_.use(*options_.store, id);
      if (use == Use::ready) return;
      if (use == Use::unknown) {
        strange_.insert(id);
        if (options_.notice) {
          options_.notice(fmt::format(
              "this server has no half of the stored inference {}; ours is kept for the server that has",
              protocol::to_hex(id)));
        }
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::input || !session_.whole()) throw;
      if (options_.notice) options_.notice(error.what());
    }
  }
}

Answer InferenceSession::infer(const Image& image) {
  if (options_.store && prepared() == 0) take_stored();
  Answer answer;
  Logits learnt = session_.infer(image);
  if (model_.reveals_label()) {
    answer.label.push_back(static_cast<int>(learnt.front()));
  } else {
    answer.label.push_back(static_cast<int>(best_class(learnt)));
    answer.logits = std::move(learnt);
  }
  answer.report = session_.report();
  return answer;
}

namespace {

void infer_into(std::vector<Answer>& answers, InferenceSession& session, std::span<const Image> images,
                const ProgressSink& progress) {
  if (images.empty()) fail_input("no image was selected; check --first and --range");
  Progress bar("private inference", images.size(), progress);
  for (const Image& image : images) {
    answers.push_back(session.infer(image));
    bar.advance();
  }
}

RunResult result_of(std::vector<Answer> answers, const InferenceSession& session) {
  RunResult result;
  std::vector<protocol::Report> reports;
  for (Answer& answer : answers) {
    result.labels.push_back(answer.label.front());
    if (!answer.logits.empty()) result.logits.push_back(std::move(answer.logits));
    result.offline_s.push_back(answer.report.offline.seconds);
    result.online_s.push_back(answer.report.online.seconds);
    reports.push_back(std::move(answer.report));
  }
  result.mean = mean_report(reports);
  result.choice = session.choice();
  result.client_peak_rss = peak_rss_bytes();
  return result;
}

}  // namespace

std::vector<Answer> infer_all(InferenceSession& session, std::span<const Image> images,
                              const ProgressSink& progress) {
  std::vector<Answer> answers;
  infer_into(answers, session, images, progress);
  return answers;
}

RunResult run_images(const package::Package& package, net::Channel& channel, std::span<const Image> images,
                     SessionOptions options, const ProgressSink& progress) {
  RunResult result = run_until_lost(package, channel, images, std::move(options), progress);
  if (result.lost) throw Error(*result.lost);
  return result;
}

RunResult run_until_lost(const package::Package& package, net::Channel& channel,
                         std::span<const Image> images, SessionOptions options,
                         const ProgressSink& progress) {
  InferenceSession session(package, channel, std::move(options));
  std::vector<Answer> answers;
  std::optional<Error> lost;
  try {
    infer_into(answers, session, images, progress);
    session.finish();
  } catch (const Error& error) {
    if (answers.empty()) throw;
    lost = error;
  }
  RunResult result = result_of(std::move(answers), session);
  result.lost = std::move(lost);
  return result;
}

PrepareResult prepare_only(const package::Package& package, net::Channel& channel,
                           protocol::PreprocessingStore& store, std::size_t count, SessionOptions options,
                           const ProgressSink& progress) {
  if (count == 0) fail_input("no inference was asked for; give --prepare-only 1 or more");
  options.store = &store;
  InferenceSession session(package, channel, std::move(options));
  PrepareResult result;
  std::vector<protocol::Report> reports;
  Progress bar("preparing", count, progress);
  for (; result.stored < count; ++result.stored) {
    session.store();
    reports.push_back(session.report());
    bar.advance();
  }
  session.finish();
  result.available = store.ids().size();
  result.mean = mean_report(reports);
  result.choice = session.choice();
  result.client_peak_rss = peak_rss_bytes();
  return result;
}

std::unique_ptr<protocol::PreprocessingStore> open_client_store(const std::filesystem::path& directory,
                                                                const package::PackageId& id, Notice notice,
                                                                std::uint64_t max_bytes) {
  protocol::StoreOptions options;
  options.notice = std::move(notice);
  options.max_inferences = std::numeric_limits<std::size_t>::max();
  if (max_bytes > 0) options.max_bytes = max_bytes;
  return std::make_unique<protocol::PreprocessingStore>(directory, Party::client, id, options);
}

std::vector<Image> preprocess(const package::Package& package, const nn::Dataset& images) {
  const auto normalization = nn::Normalization::parse(package.normalization);
  normalization.check(package.network.input_shape().c);
  std::vector<Image> inputs;
  for (std::size_t i = 0; i < images.size(); ++i)
    inputs.push_back(nn::preprocess(package.network, images, i, normalization));
  return inputs;
}

std::vector<std::size_t> saturated(const package::Package& package, const nn::Dataset& images) {
  const auto normalization = nn::Normalization::parse(package.normalization);
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i < images.size(); ++i)
    counts.push_back(nn::saturated(package.network, images, i, normalization));
  return counts;
}

std::string class_name(const package::Package& package, int label) {
  if (label == protocol::kNoClass) return "no class";
  const auto index = static_cast<std::size_t>(label);
  return index < package.labels.size() ? package.labels[index] : fmt::format("{}", index);
}

std::vector<double> scores(const nn::QuantisedNetwork& network, std::span<const std::int64_t> logits) {
  std::vector<double> result;
  for (const std::int64_t logit : logits)
    result.push_back(static_cast<double>(logit) * network.nodes.back().scale);
  return result;
}

std::size_t best_class(std::span<const std::int64_t> logits) {
  AP_ASSERT(!logits.empty());
  if (logits.size() == 1) return static_cast<std::uint64_t>(-logits.front()) >> 63;
  std::uint64_t best = 0;
  std::int64_t largest = logits.front();
  for (std::size_t i = 1; i < logits.size(); ++i) {
    const std::uint64_t larger = 0 - (static_cast<std::uint64_t>(largest - logits[i]) >> 63);
    largest += static_cast<std::int64_t>(static_cast<std::uint64_t>(logits[i] - largest) & larger);
    best = (i & larger) | (best & ~larger);
  }
  return best;
}

std::vector<std::size_t> top_classes(std::span<const std::int64_t> logits, std::size_t k) {
  return nn::top_k(logits, k);
}

std::uint64_t peak_rss_bytes() { return protocol::peak_rss_bytes(); }

}  // namespace ap::app
