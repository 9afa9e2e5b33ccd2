#include "protocol/hybrid/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>

#include "base/bits.h"
#include "base/clock.h"
#include "layers/linear/plaintext/clear_conv.h"
#include "mpc/ot/failed_check.h"
#include "plan/privacy.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/clear_linear.h"
#include "protocol/hybrid/greeting.h"
#include "protocol/hybrid/link.h"
#include "protocol/hybrid/local_nodes.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/preprocessing.h"
#include "protocol/hybrid/share_uses.h"

namespace ap::protocol {
namespace {

/// A linear layer's weights in the two forms that the two phases need.
struct PreparedLayer {
  std::unique_ptr<PreparedHeLayer> offline;
  linear::ClearConv online;
  std::vector<std::int64_t> bias;
};

}  // namespace

struct ServerModel::Prepared {
  Prepared(const package::Package& package, Model made) : model(std::move(made)), id(package.id) {
    for (const LinearLayer& layer : model.linears()) {
      const nn::QNode& node = model.node(layer.node);
      const auto& op = std::get<nn::QLinear>(node.op);
      layers.push_back({layer.he->prepare(op.weights),
                        linear::ClearConv(layer.he->packed().geometry(), op.weights), op.bias});
    }
  }
  Model model;
  package::PackageId id;
  std::vector<PreparedLayer> layers;
};

ServerModel::ServerModel(const package::Package& package)
    : ServerModel(package, Model(package.network, package.plan)) {}
ServerModel::ServerModel(const package::Package& package, Model model) {
  AP_ASSERT(package.role == Party::server);
  plan::require_weight_privacy(package.network, package.plan);
  prepared_ = std::make_unique<Prepared>(package, std::move(model));
}
ServerModel::~ServerModel() = default;
const Model& ServerModel::model() const { return prepared_->model; }
const package::PackageId& ServerModel::id() const { return prepared_->id; }

std::size_t ServerModel::prepared_bytes() const {
  std::size_t bytes = 0;
  for (const PreparedLayer& layer : prepared_->layers) bytes += layer.offline->memory_bytes();
  return bytes;
}

std::size_t ServerModel::preprocessing_bytes() const {
  std::size_t bytes = 0;
  for (const LinearLayer& layer : model().linears())
    bytes += model().size(layer.node) * sizeof(std::uint64_t);
  for (const ActivationLayer& layer : model().activations()) bytes += protocol::preprocessing_bytes(layer);
  return bytes;
}

std::size_t ServerModel::key_bytes() const { return protocol::key_bytes(model().groups()); }

namespace {

class Session {
 public:
  Session(const ServerModel::Prepared& prepared, net::Channel& channel, const ServerOptions& options)
      : prepared_(prepared),
        model_(prepared.model),
        channel_(channel),
        options_(options),
        keys_(model_.groups()) {}

  void run() {
    draw_session_key();
    for (;;) {
      const Bytes command = channel_.receive_exactly(kCommand, 1);
      switch (static_cast<Command>(command[0])) {
        case Command::goodbye:
          return;
        case Command::prepare:
          prepare();
          break;
        case Command::infer:
          infer();
          break;
        case Command::probe:
          if (++probes_ > kMaxProbes) fail_peer("the client sent {} probes in a row", probes_);
          answer_probe(channel_);
          if (options_.on_probe) options_.on_probe();
          break;
        case Command::store:
          store();
          break;
        case Command::use:
          use();
          break;
        default:
          fail_peer("the client sent the unknown command {}", command[0]);
      }
    }
  }

 private:
  void draw_session_key() {
    SessionKey::Nonce mine, theirs;
    prng_.fill(std::span<std::uint8_t>(mine));
    channel_.send(kNonce, mine);
    const Bytes nonce = channel_.receive_exactly(kNonce, theirs.size());
    std::copy(nonce.begin(), nonce.end(), theirs.begin());
    session_ = SessionKey(theirs, mine, prepared_.id);
  }

  ServerStatistics empty_statistics() const {
    ServerStatistics s;
    s.linear_s.resize(model_.linears().size());
    s.activation_s.resize(model_.activations().size());
    return s;
  }

  template <typename Work>
  void measure(double& seconds, const Work& work) const {
    const double before = statistics_clock(options_.share_statistics);
    work();
    seconds += statistics_clock(options_.share_statistics) - before;
  }

  void send_statistics(ServerStatistics& statistics) {
    if (options_.share_statistics == ShareStatistics::none) return;
    if (options_.share_statistics == ShareStatistics::process) {
      statistics.peak_rss = peak_rss_bytes();
    } else {
      statistics = rounded(std::move(statistics));
    }
    channel_.send(kStatistics, serialise(statistics));
  }

  void check_room() const {
    if (ready_.size() >= options_.max_prepared) {
      fail_peer("the client wants to prepare more than {} inferences ahead", options_.max_prepared);
    }
  }

  bool may_prepare() {
    const Permission permission = options_.may_prepare ? options_.may_prepare() : Permission{};
    ByteWriter answer;
    answer.u8(static_cast<std::uint8_t>(permission.answer));
    answer.u64(permission.limit);
    channel_.send(kPrepareAnswer, answer.bytes());
    return permission.answer == PrepareAnswer::granted;
  }

  /// Takes what a client has sent before it could know that it is refused.
  void drop_uploads() {
    for (const LinearLayer& layer : model_.linears()) {
      const linear::PackedLayer& packed = layer.he->packed();
      for (std::size_t part = 0; part < packed.parts(); ++part) {
        channel_.receive_exactly(kUpload, packed.part_upload_bytes(part));
      }
    }
  }

  void prepare() {
    check_room();
    ServerStatistics statistics = empty_statistics();
    ServerPreprocessing material;
    bool granted = false;
    measure(statistics.cpu_s, [&] {
      material.protocols = receive_protocols();
      keys_.renew(channel_, session_);
      granted = may_prepare();
      if (!granted) return;
      for (std::size_t i = 0; i < model_.linears().size(); ++i) {
        const LinearLayer& layer = model_.linears()[i];
        const linear::PackedLayer& packed = layer.he->packed();
        Seed seed;
        prng_.fill(std::span<std::uint8_t>(seed));
        Share share(model_.size(layer.node));
        for (std::size_t part = 0; part < packed.parts(); ++part) {
          const Bytes uploads = channel_.receive_exactly(kUpload, packed.part_upload_bytes(part));
          make_way();
          measure(statistics.linear_s[i], [&] {
            channel_.send(kReply, prepared_.layers[i].offline->apply(part, keys_, uploads, seed, share,
                                                                     options_.errors));
          });
        }
        wipe(seed.data(), seed.size());
        material.linear_shares.push_back(std::move(share));
      }
      prepare_activations(material, statistics);
    });
    if (!granted) return drop_uploads();
    send_statistics(statistics);
    ready_.push_back(std::move(material));
    progress();
  }

  void make_way() const {
    if (options_.on_part) options_.on_part();
  }

  std::vector<ActivationProtocol> receive_protocols() {
    std::vector<ActivationProtocol> protocols;
    for (const std::uint8_t name : channel_.receive_exactly(kProtocols, model_.activations().size())) {
      if (name > static_cast<std::uint8_t>(kLastProtocol))
        fail_peer("the client asks for the unknown activation protocol {}", name);
      const ActivationLayer& layer = model_.activations()[protocols.size()];
      protocols.push_back(static_cast<ActivationProtocol>(name));
      if (!protocol_fits(protocols.back(), layer)) {
        const bool prime = layer.spec.in_prime != 0 || layer.spec.out_prime != 0;
        fail_peer("the client asks for protocol {} for layer {}, {}", name_of(protocols.back()),
                  model_.name(layer.node),
                  prime                      ? "which is shared modulo a prime"
                  : layer.protocol == "auto" ? "which that protocol cannot run"
                                             : "for which the plan says " + layer.protocol);
      }
    }
    return protocols;
  }

  /// A layer is always announced before the one ahead of it is finished, so that the client never waits for
  /// us while it could work.
  void prepare_activations(ServerPreprocessing& material, ServerStatistics& statistics) {
    const std::vector<ActivationProtocol>& chosen = material.protocols;
    material.activations.resize(chosen.size());
    for (const ActivationProtocol protocol : {ActivationProtocol::gc, ActivationProtocol::ot}) {
      std::vector<std::size_t> numbers;
      std::vector<ChosenLayer> layers;
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (session_of(chosen[i]) != protocol) continue;
        numbers.push_back(i);
        layers.push_back({model_.activations()[i], chosen[i]});
      }
      if (layers.empty()) continue;
      std::unique_ptr<ActivationServer>& party = protocols_[protocol];
      if (!party) party = make_activation_server(protocol, channel_, session_);
      party->expect(layers);
      for (std::size_t at = 0; at < layers.size(); ++at)
        measure(statistics.activation_s[numbers[at]], [&] { party->begin(layers[at]); });
      for (std::size_t at = 0; at <= layers.size(); ++at) {
        make_way();
        if (at < layers.size()) {
          measure(statistics.activation_s[numbers[at]], [&] { party->announce(layers[at].layer); });
        }
        if (at > 0) {
          const std::size_t done = numbers[at - 1];
          measure(statistics.activation_s[done],
                  [&] { material.activations[done] = party->prepare(layers[at - 1].layer); });
        }
      }
      party->finish();
    }
  }

  /// y = W (x - r) + s + b mod p: our share of the layer's result.
  Share linear_share(std::size_t index, ShareView x, const Share& s) const {
    const ShareModulus& modulus = model_.modulus(model_.linears()[index].node);
    const PreparedLayer& weights = prepared_.layers[index];
    Share y = apply_modulo(weights.online, x, modulus);
    const std::size_t plane = y.size() / weights.bias.size();
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] = modulus.add(modulus.add(y[i], s[i]), modulus.from_signed(weights.bias[i / plane]));
    }
    return y;
  }

  Share receive_masked_input() {
    const ShareModulus& modulus = model_.modulus(0);
    const std::size_t count = model_.size(0);
    return unpack_shares(channel_.receive_exactly(kMaskedInput, packed_bytes(count, modulus.bits())), count,
                         modulus, "the masked input");
  }

  PreprocessingId receive_id() {
    const Bytes bytes = channel_.receive_exactly(kPreprocessingId, sizeof(PreprocessingId));
    PreprocessingId id;
    std::copy(bytes.begin(), bytes.end(), id.begin());
    return id;
  }

  /// `work` gives the answer, `otherwise` stands for an error. Why is for our own log.
  template <typename Work>
  void answer_store(StoreAnswer otherwise, const Work& work) {
    StoreAnswer answer = StoreAnswer::refused;
    try {
      if (options_.store != nullptr) answer = work();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::peer) throw;
      answer = otherwise;
      if (options_.on_store_failure) options_.on_store_failure(error.what());
    }
    channel_.send(kPreprocessingAnswer, Bytes{static_cast<std::uint8_t>(answer)});
  }

  void store() {
    const PreprocessingId id = receive_id();
    if (ready_.empty()) fail_peer("the client wants to store an inference that it has not prepared");
    // Taken out first, and gone even if it cannot be stored: the client has given up its half too.
    const ServerPreprocessing material = std::move(ready_.front());
    ready_.pop_front();
    answer_store(StoreAnswer::failed, [&] {
      using Saved = PreprocessingStore::Saved;
      switch (options_.store->save(id, serialise(material), options_.store_owner)) {
        case Saved::done:
          return StoreAnswer::done;
        case Saved::owner_full:
          return StoreAnswer::client_full;
        case Saved::full:
          return StoreAnswer::full;
        case Saved::known:
          break;
      }
      return StoreAnswer::refused;
    });
    progress();
  }

  void use() {
    check_room();
    const PreprocessingId id = receive_id();
    answer_store(StoreAnswer::refused, [&] {
      const std::optional<SecretBytes> payload = options_.store->claim(id);
      if (!payload) return StoreAnswer::refused;
      ready_.push_front(parse_server_preprocessing(model_, channel_, *payload));
      progress();
      return StoreAnswer::done;
    });
  }

  void progress() {
    probes_ = 0;
    if (options_.on_progress) options_.on_progress();
  }

  void infer() {
    if (ready_.empty()) fail_peer("the client wants an inference that it has not prepared");
    // Taken out before anything is used: whatever happens from here on, it cannot be used again.
    ServerPreprocessing material = std::move(ready_.front());
    ready_.pop_front();
    const std::shared_ptr<void> live = options_.on_image ? options_.on_image() : nullptr;
    ServerStatistics statistics = empty_statistics();
    const int count = static_cast<int>(model_.tensors());
    measure(statistics.cpu_s, [&] {
      std::vector<Share> shares(static_cast<std::size_t>(count));
      shares[0] = receive_masked_input();
      ShareUses uses = ShareUses::of_evaluation(model_);
      std::size_t linear = 0, activation = 0;
      for (int node = 1; node < count; ++node) {
        Share& out = shares[static_cast<std::size_t>(node)];
        if (linear < model_.linears().size() && model_.linears()[linear].node == node) {
          measure(statistics.linear_s[linear], [&] {
            const Share& in = shares[static_cast<std::size_t>(model_.linears()[linear].input)];
            out = linear_share(linear, in, material.linear_shares[linear]);
            Share().swap(material.linear_shares[linear]);
          });
          ++linear;
        } else if (activation < model_.activations().size() &&
                   model_.activations()[activation].node == node) {
          measure(statistics.activation_s[activation], [&] {
            const ActivationLayer& layer = model_.activations()[activation];
            const Share input = activation_input(layer, shares, Party::server);
            const auto masked = material.activations[activation]->run(input);
            material.activations[activation].reset();
            out.assign(masked.begin(), masked.end());
            const ShareModulus& modulus = model_.modulus(node);
            const std::uint64_t low = modulus.from_signed(layer.result_low);
            for (std::uint64_t& v : out) v = modulus.add(v, low);
          });
          ++activation;
        } else {
          apply_local_node(model_, node, shares);
        }
        if (options_.observer) options_.observer(node, out);
        for (const int input : model_.inputs(node)) uses.read(input, shares);
      }
      if (options_.on_inference) options_.on_inference();
      channel_.send(kResult, pack_shares(shares.back(), model_.modulus(count - 1)));
    });
    send_statistics(statistics);
    progress();
  }

  const ServerModel::Prepared& prepared_;
  const Model& model_;
  net::Channel& channel_;
  const ServerOptions& options_;
  Prng prng_;
  SessionKey session_;
  ServerKeys keys_;
  std::map<ActivationProtocol, std::unique_ptr<ActivationServer>> protocols_;
  std::deque<ServerPreprocessing> ready_;
  int probes_ = 0;
};

}  // namespace

void serve_session(const ServerModel& model, net::Channel& channel, const ServerOptions& options) {
  const Greeting greeting = receive_greeting(channel, model.id());
  answer_greeting(channel, model.id(), greeting.status, options.share_statistics);
  if (greeting.status == Welcome::ready) return serve_greeted(model, channel, options);
  if (options.on_refusal) options.on_refusal(greeting.refusal);
}

void serve_greeted(const ServerModel& model, net::Channel& channel, const ServerOptions& options) {
  try {
    Session(model.prepared(), channel, options).run();
  } catch (const mpc::FailedCheck&) {  // the session and all it had prepared are gone
    if (options.on_failed_check) options.on_failed_check();
    throw;
  }
}

}  // namespace ap::protocol
