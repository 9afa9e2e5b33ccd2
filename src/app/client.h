// The client of a server: runs images through one session, and says what that cost and how it compares with
// the clear network.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "analysis/cost/profile.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "net/channel/channel.h"
#include "net/websocket/tls.h"
#include "nn/data/dataset.h"
#include "nn/ir/quantised_network.h"
#include "package/package.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/model.h"
#include "protocol/hybrid/report.h"
#include "protocol/store/preprocessing_store.h"

namespace ap::app {

using Logits = SecretVector<std::int64_t>;
/// A quantised image, in the layout and range of the network's input.
using Image = SecretVector<std::int32_t>;

/// Gets a sentence that a person should read, about something that does not end the run.
using Notice = std::function<void(const std::string&)>;

struct SessionOptions {
  /// Unit costs by which the protocols of activations that a plan leaves open are chosen, with the link as
  /// measured.
  cost::Profile profile = cost::typical_profile();
  protocol::PreprocessingStore* store = nullptr;  ///< inferences prepared ahead; must outlive the session
  Notice notice = {};                             ///< about stored inferences that cannot be used
  std::chrono::milliseconds patience{0};          ///< longest wait for a place, where the server has it wait
  std::function<void(const protocol::Waiting&)> on_wait = {};  ///< gets what the server says meanwhile
};

/// "waiting for a place at the server: 2 clients before this one, about 20 s"
std::string sentence_of(const protocol::Waiting& waiting);

/// What one inference gave the client.
struct Answer {
  Logits logits;            ///< in units of the logits' scale; empty if the package reveals the label alone
  SecretVector<int> label;  ///< one: the best class, or protocol::kNoClass
  protocol::Report report;  ///< what it cost
};

/// One session with a server: any number of inferences, each prepared before or with its image.
class InferenceSession {
 public:
  /// `channel` must outlive the session. @throws Error(security), before anything is sent, if parameters of
  /// the package are below 128 bits; Error(peer) if the server refuses, serves another package or does not
  /// answer.
  InferenceSession(const package::Package& package, net::Channel& channel, SessionOptions options = {});

  /// The offline phase of one inference, for later in this session. @throws Error(peer)
  void prepare() { session_.prepare(); }
  /// How many of those are waiting.
  std::size_t prepared() const { return session_.prepared(); }
  /// The offline phase of one inference, put into both parties' stores for any later session.
  /// @throws Error(peer), also if the server keeps no more; Error(input) if our own store is full, or there
  /// is none.
  void store();
  /// How many of this package are in our store now.
  std::size_t stored() const { return options_.store ? options_.store->ids().size() : 0; }
  /// How the protocols of activations were chosen, and why: a sentence. Of the last report.
  std::string choice() const;
  /// What the last inference or stored preparation cost.
  const protocol::Report& report() const { return session_.report(); }

  /// Uses what was prepared in this session, else what is in the store and known to the server too, else
  /// prepares.
  /// @throws Error(peer)
  Answer infer(const Image& image);
  /// Tells the server that this session is over.
  void finish() { session_.finish(); }

 private:
  void take_stored();
  SessionOptions options_;
  std::shared_ptr<std::optional<protocol::Link>> link_ = std::make_shared<std::optional<protocol::Link>>();
  std::set<protocol::PreprocessingId> strange_;  ///< stored ones of which this server has no half
  protocol::Model model_;
  protocol::ClientSession session_;
};

/// Every image in turn, one after another. @throws as InferenceSession::infer, Error(input) if there are
/// none.
std::vector<Answer> infer_all(InferenceSession& session, std::span<const Image> images,
                              const ProgressSink& progress = {});

struct RunResult {
  /// One for each image, in units of the logits' scale; none if the package reveals labels alone.
  std::vector<Logits> logits;
  SecretVector<int> labels;                 ///< the best class of each image, or protocol::kNoClass
  std::vector<double> offline_s, online_s;  ///< seconds of each image: of its preparation, and with it
  protocol::Report mean;                    ///< per image; server_peak_rss is the largest seen
  std::string choice;                       ///< of the protocols of activations: a sentence
  std::uint64_t client_peak_rss = 0;        ///< bytes
  std::optional<Error> lost = {};  ///< why the images behind these have no answer; of run_until_lost alone
};

/// Runs every image through one session on `channel`, with inferences from the store as long as it has any
/// that the server knows too. @throws Error(peer) if the server refuses, misbehaves, falls silent or
/// disappears.
RunResult run_images(const package::Package& package, net::Channel& channel, std::span<const Image> images,
                     SessionOptions options = {}, const ProgressSink& progress = {});

/// The same, but an error behind the first answer is no exception: the answers before it are returned, with it.
RunResult run_until_lost(const package::Package& package, net::Channel& channel,
                         std::span<const Image> images, SessionOptions options = {},
                         const ProgressSink& progress = {});

struct PrepareResult {
  std::size_t stored = 0;             ///< in this run
  std::size_t available = 0;          ///< of this package in the store now
  protocol::Report mean;              ///< per inference
  std::string choice;                 ///< as in RunResult
  std::uint64_t client_peak_rss = 0;  ///< bytes
};

/// The offline phase of `count` >= 1 inferences, each put into both parties' stores before the next begins.
/// @throws Error(peer) as above and if the server keeps no more, Error(input) if our own store is full.
PrepareResult prepare_only(const package::Package& package, net::Channel& channel,
                           protocol::PreprocessingStore& store, std::size_t count,
                           SessionOptions options = {}, const ProgressSink& progress = {});

/// The client's store of inferences prepared ahead: as many as fit on the disk, or into so many bytes, if that is not 0.
/// `notice` as in SessionOptions.
/// @throws as protocol::PreprocessingStore.
std::unique_ptr<protocol::PreprocessingStore> open_client_store(const std::filesystem::path& directory,
                                                                const package::PackageId& id, Notice notice,
                                                                std::uint64_t max_bytes = 0);

/// The network's inputs from images, as the package says. @throws Error(input) if they do not fit the
/// network.
std::vector<Image> preprocess(const package::Package& package, const nn::Dataset& images);

/// By image: how many of its values preprocess() cut to the ends of the range that the network was calibrated for.
std::vector<std::size_t> saturated(const package::Package& package, const nn::Dataset& images);

/// The name of a class: its number if the package has no names; "no class" of protocol::kNoClass.
std::string class_name(const package::Package& package, int label);
/// Logits as the model gives them.
std::vector<double> scores(const nn::QuantisedNetwork& network, std::span<const std::int64_t> logits);

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

/// The index of the largest logit (the first of equal ones), each below 2^62 in magnitude; of a single one, 1 if it is
/// above 0, else 0 (nn/data/labels.h). It runs between
/// two inferences of a session, so it takes as long whatever the logits are.
std::size_t best_class(std::span<const std::int64_t> logits);
/// The indices of the k largest logits, best first.
std::vector<std::size_t> top_classes(std::span<const std::int64_t> logits, std::size_t k);

/// The largest resident set that this process has had, in bytes.
std::uint64_t peak_rss_bytes();

/// The mean of several reports of one network, layer by layer; server_peak_rss is the largest.
protocol::Report mean_report(std::span<const protocol::Report> reports);

}  // namespace ap::app
