#include "app/client.h"

#include <sys/resource.h>

#include <algorithm>
#include <numeric>

#include "analysis/prediction/choose_protocols.h"
#include "analysis/profile/profile_cache.h"
#include "base/error.h"
#include "base/progress.h"
#include "nn/data/accuracy.h"
#include "nn/execute/integer_executor.h"
#include "protocol/hybrid/client.h"

namespace ap::app {
namespace {

void divide(protocol::Cost& cost, double count) {
  cost.seconds /= count;
  cost.client_cpu_s /= count;
  cost.server_cpu_s /= count;
  cost.bytes_up = static_cast<std::uint64_t>(static_cast<double>(cost.bytes_up) / count + 0.5);
  cost.bytes_down = static_cast<std::uint64_t>(static_cast<double>(cost.bytes_down) / count + 0.5);
}

/// Makes the oldest stored inference that both parties can use the next of the session, if there is one.
void take_stored(protocol::ClientSession& session, protocol::PreprocessingStore& store,
                 const Notice& notice) {
  using Use = protocol::ClientSession::Use;
  for (const protocol::PreprocessingId& id : store.ids()) {
    try {
      const Use use = session.use(store, id);
      if (use == Use::ready) return;
      if (use == Use::unknown && notice) {
        notice(fmt::format("the server has no half of the stored inference {}; ours was destroyed",
                           protocol::to_hex(id)));
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::input) throw;
      if (notice) notice(error.what());
    }
  }
}

}  // namespace

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

RunResult run_images(const package::Package& package, net::Channel& channel, std::span<const Image> images,
                     bool progress, protocol::PreprocessingStore* store, const Notice& notice) {
  if (images.empty()) fail_input("no image was selected; check --first and --range");
  const protocol::Model model(package.network, package.plan);
  protocol::ClientOptions options;
  options.choose = protocol::chooser_of(cost::cached_profile());
  protocol::ClientSession session(model, package.id, channel, std::move(options));
  RunResult result;
  std::vector<protocol::Report> reports;
  Progress bar("private inference", images.size(), progress);
  for (const Image& image : images) {
    if (store) take_stored(session, *store, notice);
    Logits learnt = session.infer(image);
    if (model.reveals_label()) {
      result.labels.push_back(static_cast<int>(learnt.front()));
    } else {
      result.labels.push_back(static_cast<int>(best_class(learnt)));
      result.logits.push_back(std::move(learnt));
    }
    reports.push_back(session.report());
    bar.advance();
  }
  session.finish();
  result.mean = mean_report(reports);
  result.client_peak_rss = peak_rss_bytes();
  return result;
}

PrepareResult prepare_only(const package::Package& package, net::Channel& channel,
                           protocol::PreprocessingStore& store, std::size_t count, bool progress) {
  if (count == 0) fail_input("no inference was asked for; give --prepare-only 1 or more");
  const protocol::Model model(package.network, package.plan);
  protocol::ClientSession session(model, package.id, channel);
  PrepareResult result;
  std::vector<protocol::Report> reports;
  Progress bar("preparing", count, progress);
  for (; result.stored < count; ++result.stored) {
    session.store(store);
    reports.push_back(session.report());
    bar.advance();
  }
  session.finish();
  result.available = store.ids().size();
  result.mean = mean_report(reports);
  result.client_peak_rss = peak_rss_bytes();
  return result;
}

Agreement compare_with_clear(const nn::QuantisedNetwork& network, std::span<const Image> images,
                             std::span<const Logits> logits) {
  AP_ASSERT(images.size() == logits.size());
  const nn::IntegerExecutor clear(network);
  Agreement agreement;
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::vector<std::int32_t> expected = clear.logits(images[i]);
    AP_ASSERT(expected.size() == logits[i].size());
    const auto best = static_cast<std::size_t>(nn::argmax(std::span<const std::int32_t>(expected)));
    if (best == best_class(logits[i])) ++agreement.same_class;
    for (std::size_t j = 0; j < expected.size(); ++j) {
      largest = std::max(largest, std::abs(logits[i][j] - expected[j]));
    }
  }
  agreement.max_logit_error = largest;
  return agreement;
}

Agreement compare_with_clear(const nn::QuantisedNetwork& network, std::span<const Image> images,
                             std::span<const int> labels) {
  AP_ASSERT(images.size() == labels.size());
  const nn::IntegerExecutor clear(network);
  Agreement agreement;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::vector<std::int32_t> expected = clear.logits(images[i]);
    if (labels[i] == nn::argmax(std::span<const std::int32_t>(expected))) ++agreement.same_class;
  }
  return agreement;
}

std::size_t best_class(std::span<const std::int64_t> logits) {
  AP_ASSERT(!logits.empty());
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
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  order.resize(std::min(k, order.size()));
  return order;
}

std::uint64_t peak_rss_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace ap::app
