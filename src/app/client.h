// The client of a server: connects, runs images through one session, and says what that cost and how it
// compares with the clear network.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/memory.h"
#include "net/channel/channel.h"
#include "net/websocket/tls.h"
#include "nn/ir/quantised_network.h"
#include "package/package.h"
#include "protocol/hybrid/report.h"
#include "protocol/store/preprocessing_store.h"

namespace ap::app {

using Logits = SecretVector<std::int64_t>;
/// A quantised image, in the layout and range of the network's input.
using Image = SecretVector<std::int32_t>;

struct RunResult {
  /// One for each image, in units of the logits' scale; none if the package reveals labels alone.
  std::vector<Logits> logits;
  SecretVector<int> labels;           ///< the best class of each image, or protocol::kNoClass
  protocol::Report mean;              ///< per image; server_peak_rss is the largest seen
  std::uint64_t client_peak_rss = 0;  ///< bytes
};

/// Gets a sentence that a person should read, about something that does not end the run.
using Notice = std::function<void(const std::string&)>;

/// Runs every image through one session on `channel`, with inferences from `store` as long as it has any that
/// the server knows too. @throws Error(peer) if the server refuses, misbehaves, falls silent or disappears.
RunResult run_images(const package::Package& package, net::Channel& channel, std::span<const Image> images,
                     bool progress, protocol::PreprocessingStore* store = nullptr, const Notice& notice = {});

struct PrepareResult {
  std::size_t stored = 0;             ///< in this run
  std::size_t available = 0;          ///< of this package in the store now
  protocol::Report mean;              ///< per inference
  std::uint64_t client_peak_rss = 0;  ///< bytes
};

/// The offline phase of `count` >= 1 inferences, each put into both parties' stores before the next begins.
/// @throws Error(peer) as above and if the server keeps no more, Error(input) if our own store is full.
PrepareResult prepare_only(const package::Package& package, net::Channel& channel,
                           protocol::PreprocessingStore& store, std::size_t count, bool progress);

struct Agreement {
  std::size_t same_class = 0;  ///< images whose best class is that of the clear network
  /// Largest absolute difference of a logit, in accumulator units; absent where only labels are known.
  std::optional<std::int64_t> max_logit_error;
};

/// Compares with the clear integer network of the server's package.
Agreement compare_with_clear(const nn::QuantisedNetwork& network, std::span<const Image> images,
                             std::span<const Logits> logits);

/// How far private labels agree with the clear network's, where only labels are known.
Agreement compare_with_clear(const nn::QuantisedNetwork& network, std::span<const Image> images,
                             std::span<const int> labels);

/// The index of the largest logit (the first of equal ones), each below 2^62 in magnitude. It runs between
/// two inferences of a session, so it takes as long whatever the logits are.
std::size_t best_class(std::span<const std::int64_t> logits);
/// The indices of the k largest logits, best first.
std::vector<std::size_t> top_classes(std::span<const std::int64_t> logits, std::size_t k);

/// The largest resident set that this process has had, in bytes.
std::uint64_t peak_rss_bytes();

/// The mean of several reports of one network, layer by layer; server_peak_rss is the largest.
protocol::Report mean_report(std::span<const protocol::Report> reports);

}  // namespace ap::app
