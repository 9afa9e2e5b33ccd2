#include "protocol/hybrid/client.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/bits.h"
#include "base/clock.h"
#include "net/channel/metered_channel.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/greeting.h"
#include "protocol/hybrid/link.h"
#include "protocol/hybrid/local_nodes.h"
#include "protocol/hybrid/memory.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/preprocessing.h"
#include "protocol/hybrid/share_uses.h"
#include "protocol/hybrid/statistics.h"

namespace ap::protocol {
namespace {

struct Material : ClientPreprocessing {
  Report report;
};

/// The server's answer to a preparation.
struct Grant {
  PrepareAnswer answer;
  std::uint64_t limit;
};

/// A part of a linear layer whose uploads are sent and whose replies are not there yet.
struct Part {
  std::size_t layer, number, bytes;
};

/// The class, or kNoClass if it is none, without a branch on it.
std::int64_t class_or_none(std::uint64_t value, std::uint64_t classes) {
  const std::uint64_t is_class = 0 - ((value - classes) >> 63);
  return static_cast<std::int64_t>((value & is_class) | (static_cast<std::uint64_t>(kNoClass) & ~is_class));
}

}  // namespace

struct ClientSession::State {
  State(const Model& m, net::Channel& c, ClientOptions o)
      : model(m), channel(c), options(std::move(o)), keys(m.groups(), options.errors, options.weak) {}

  const Model& model;
  MeteredChannel channel;
  ClientOptions options;
  ClientKeys keys;
  Prng prng;
  SessionKey session;
  std::vector<ActivationProtocol> chosen;  ///< by activation; empty until choose()
  bool has_chosen = false;
  std::map<ActivationProtocol, std::unique_ptr<ActivationClient>> protocols;
  std::deque<Material> ready;
  bool broken = false;  ///< an exception left a phase half done
  Report last;
  ShareStatistics shared = ShareStatistics::none;  ///< what the server's greeting promises

  void draw_session_key(const package::PackageId& id);
  void choose();
  Report empty_report(const std::vector<ActivationProtocol>& by_activation) const;
  Share random_share(int node);
  void send_protocols();
  void exchange(std::vector<Share>& shares, Report& report);
  void receive_part(const Part& part, std::vector<Share>& shares, Report& report);
  Grant receive_grant();
  static void expect_granted(const Grant& grant);
  StoreAnswer ask_store(Command command, const PreprocessingId& id);
  static void expect_stored(StoreAnswer answer);
  void give_back(const PreprocessingId& id);
  void prepare_activations(std::vector<Share>& shares, Material& material);
  void receive_statistics(Cost& phase, Report& report, Cost LayerCost::*which);

  /// Runs a phase that both parties must finish. If it throws, all secrets of the session go at once: what a
  /// failed check or half a message left behind must not be used again, also by a caller who goes on.
  template <typename Work>
  void finish_or_end(const Work& work) {
    expect_whole();
    broken = true;
    try {
      work();
    } catch (...) {
      protocols.clear();
      ready.clear();
      throw;
    }
    broken = false;
  }
  void expect_whole() const {
    if (broken) fail_peer("this session has ended with an error; start another one");
  }

  /// Runs `work` and adds what it cost to `cost`.
  template <typename Work>
  void measure(Cost& cost, const Work& work) {
    const Stopwatch watch;
    const double cpu = process_cpu_seconds();
    const net::Traffic before = channel.traffic();
    work();
    const net::Traffic after = channel.traffic();
    cost += {watch.seconds(), process_cpu_seconds() - cpu, 0, after.bytes_sent - before.bytes_sent,
             after.bytes_received - before.bytes_received};
  }
};

void ClientSession::State::draw_session_key(const package::PackageId& id) {
  SessionKey::Nonce mine, theirs;
  prng.fill(std::span<std::uint8_t>(mine));
  channel.send(kNonce, mine);
  const Bytes nonce = channel.receive_exactly(kNonce, theirs.size());
  std::copy(nonce.begin(), nonce.end(), theirs.begin());
  session = SessionKey(mine, theirs, id);
}

/// A session that only uses stored inferences never asks how fast the link is.
void ClientSession::State::choose() {
  if (has_chosen) return;
  chosen = options.choose && wants_link(model) ? options.choose(model, measure_link(channel))
                                               : named_protocols(model);
  has_chosen = true;
}

Report ClientSession::State::empty_report(const std::vector<ActivationProtocol>& by_activation) const {
  Report report;
  for (const LinearLayer& layer : model.linears()) {
    report.layers.push_back({layer.node, model.node(layer.node).name, "linear", "he", {}, {}});
  }
  for (std::size_t i = 0; i < model.activations().size(); ++i) {
    const ActivationLayer& layer = model.activations()[i];
    report.layers.push_back({layer.node,
                             model.name(layer.node),
                             layer.spec.argmax ? "argmax" : "activation",
                             name_of(by_activation[i]),
                             {},
                             {}});
  }
  return report;
}

Share ClientSession::State::random_share(int node) {
  Share share(model.size(node));
  sample_uniform(prng, model.modulus(node).value(), std::span<std::uint64_t>(share));
  return share;
}

/// Uploads and replies of all layers, part by part. The client runs ahead of the server, but never by more than
/// kUnderWay bytes of messages: so much, and no more, can wait in queues of either party, whatever the network.
void ClientSession::State::exchange(std::vector<Share>& shares, Report& report) {
  std::deque<Part> sent;
  std::size_t under_way = 0;
  std::optional<Grant> grant;
  const auto receive = [&] {
    if (!grant) grant = receive_grant();
    if (grant->answer != PrepareAnswer::granted) return false;
    finish_or_end([&] { receive_part(sent.front(), shares, report); });
    under_way -= sent.front().bytes;
    sent.pop_front();
    return true;
  };
  for (std::size_t i = 0; i < model.linears().size(); ++i) {
    const LinearLayer& layer = model.linears()[i];
    const linear::PackedLayer& packed = layer.he->packed();
    Share mask = shares[static_cast<std::size_t>(layer.input)];
    for (std::uint64_t& v : mask) v = model.modulus(layer.node).reduce(v);
    Seed seed;
    prng.fill(std::span<std::uint8_t>(seed));
    for (std::size_t part = 0; part < packed.parts(); ++part) {
      sent.push_back({i, part, packed.part_upload_bytes(part) + packed.part_reply_bytes(part)});
      under_way += sent.back().bytes;
      // Refused, the server still takes all that is sent.
      while (under_way > kUnderWay && sent.size() > 1 && receive()) {
      }
      measure(report.layers[i].offline,
              [&] { channel.send(kUpload, layer.he->encrypt(part, keys, mask, seed, options.errors)); });
    }
    wipe(seed.data(), seed.size());
  }
  if (!grant) grant = receive_grant();
  expect_granted(*grant);
  while (!sent.empty()) receive();
}

void ClientSession::State::receive_part(const Part& part, std::vector<Share>& shares, Report& report) {
  const LinearLayer& layer = model.linears()[part.layer];
  measure(report.layers[part.layer].offline, [&] {
    const Bytes replies = channel.receive_exactly(kReply, layer.he->packed().part_reply_bytes(part.number));
    Share& share = shares[static_cast<std::size_t>(layer.node)];
    share.resize(model.size(layer.node));
    layer.he->decrypt(part.number, keys, replies, share);
  });
}

/// The server says so ahead of its first reply, and after a refusal expects the next command.
Grant ClientSession::State::receive_grant() {
  const Bytes bytes = channel.receive_exactly(kPrepareAnswer, 1 + 8);
  ByteReader in(bytes, "the server's answer to a preparation", ErrorCode::peer);
  const auto answer = static_cast<PrepareAnswer>(in.u8());
  return {answer, in.u64()};
}

void ClientSession::State::expect_granted(const Grant& grant) {
  const std::uint64_t limit = grant.limit;
  switch (grant.answer) {
    case PrepareAnswer::granted:
      return;
    case PrepareAnswer::used_up:
      fail_peer(
          "the server has prepared all {} inferences that its weights may be asked "
          "for; ask its operator for a network with other weights",
          limit);
    case PrepareAnswer::client_limit:
      fail_peer(
          "the server has prepared all {} inferences that this client may have; ask its operator for more",
          limit);
    case PrepareAnswer::not_counted:
      fail_peer(
          "the server cannot count inferences now and so prepares none; tell its operator, and try again later");
  }
  fail_peer("the server answers a preparation with the unknown status {}", static_cast<int>(grant.answer));
}

/// Ahead of all else, so that the server's transfers follow its replies at once.
void ClientSession::State::send_protocols() {
  Bytes names;
  for (const ActivationProtocol protocol : chosen) names.push_back(static_cast<std::uint8_t>(protocol));
  channel.send(kProtocols, names);
}

/// All layers of one protocol after those of the other: within a protocol the server works one layer ahead.
void ClientSession::State::prepare_activations(std::vector<Share>& shares, Material& material) {
  // Tests want to see all of them afterwards.
  const bool free = !options.observer;
  ShareUses uses = ShareUses::of_preparation(model);
  if (free) uses.drop_unread(shares);
  const std::size_t linears = model.linears().size();
  material.activations.resize(chosen.size());
  for (const ActivationProtocol protocol : {ActivationProtocol::gc, ActivationProtocol::ot}) {
    std::vector<ChosenLayer> layers;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (session_of(chosen[i]) == protocol) layers.push_back({model.activations()[i], chosen[i]});
    }
    if (layers.empty()) continue;
    std::unique_ptr<ActivationClient>& party = protocols[protocol];
    if (!party) party = make_activation_client(protocol, channel, session);
    party->expect(layers);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (session_of(chosen[i]) != protocol) continue;
      measure(material.report.layers[linears + i].offline, [&] {
        party->begin({model.activations()[i], chosen[i]});
      });
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (session_of(chosen[i]) != protocol) continue;
      const ActivationLayer& layer = model.activations()[i];
      measure(material.report.layers[linears + i].offline, [&] {
        const Share input = activation_input(layer, shares, Party::client);
        material.activations[i] = party->prepare(layer, input, shares[static_cast<std::size_t>(layer.node)]);
      });
      if (!free) continue;
      uses.read(layer.input, shares);
      if (layer.second_input >= 0) uses.read(layer.second_input, shares);
      uses.read(layer.node, shares);
    }
    party->finish();
  }
}

void ClientSession::State::receive_statistics(Cost& phase, Report& report, Cost LayerCost::*which) {
  if (shared == ShareStatistics::none) return;
  const std::size_t linears = model.linears().size(), activations = model.activations().size();
  const Bytes bytes = channel.receive_exactly(kStatistics, statistics_bytes(linears, activations));
  const ServerStatistics s = parse_statistics(bytes, linears, activations);
  report.server_told = true;
  phase.server_cpu_s += s.cpu_s;
  for (std::size_t i = 0; i < linears; ++i) (report.layers[i].*which).server_cpu_s += s.linear_s[i];
  for (std::size_t i = 0; i < activations; ++i)
    (report.layers[linears + i].*which).server_cpu_s += s.activation_s[i];
  report.server_peak_rss = s.peak_rss;
}

ClientSession::ClientSession(const Model& model, const package::PackageId& id, net::Channel& channel,
                             ClientOptions options)
    : state_(std::make_unique<State>(model, channel, std::move(options))) {
  state_->shared = greet_server(state_->channel, id, state_->options.patience, state_->options.on_wait);
  state_->draw_session_key(id);
}

ClientSession::~ClientSession() = default;

const std::vector<ActivationProtocol>& ClientSession::protocols() const {
  state_->choose();
  return state_->chosen;
}
std::size_t ClientSession::prepared() const { return state_->ready.size(); }
const Report& ClientSession::report() const { return state_->last; }

void ClientSession::prepare() {
  State& s = *state_;
  s.expect_whole();
  s.choose();
  Material material;
  material.protocols = s.chosen;
  material.report = s.empty_report(s.chosen);
  Report& report = material.report;
  s.measure(report.offline, [&] {
    s.channel.send(kCommand, Bytes{static_cast<std::uint8_t>(Command::prepare)});
    s.send_protocols();
    s.keys.renew(s.channel, s.session, s.prng);

    // r: the client's share of the image and of every activation's output is its own random choice.
    std::vector<Share> shares(s.model.tensors());
    shares[0] = s.random_share(0);
    for (const ActivationLayer& layer : s.model.activations()) {
      shares[static_cast<std::size_t>(layer.node)] = s.random_share(layer.node);
    }
    apply_local_nodes(s.model, shares);

    s.exchange(shares, report);
    s.finish_or_end([&] {
      apply_local_nodes(s.model, shares);
      s.prepare_activations(shares, material);
      if (s.options.observer) {
        for (std::size_t i = 0; i < shares.size(); ++i) s.options.observer(static_cast<int>(i), shares[i]);
      }
      material.input_mask = std::move(shares.front());
      material.result = std::move(shares.back());
      s.receive_statistics(report.offline, report, &LayerCost::offline);
    });
  });
  s.ready.push_back(std::move(material));
}

StoreAnswer ClientSession::State::ask_store(Command command, const PreprocessingId& id) {
  channel.send(kCommand, Bytes{static_cast<std::uint8_t>(command)});
  channel.send(kPreprocessingId, id);
  const Bytes bytes = channel.receive_exactly(kPreprocessingAnswer, 1);
  if (bytes[0] > static_cast<std::uint8_t>(StoreAnswer::failed))
    fail_peer("the server answers about its store with the unknown status {}", bytes[0]);
  return static_cast<StoreAnswer>(bytes[0]);
}

/// The server's half of what we could not store would only fill its store: it takes that out, and both forget
/// it with the session.
void ClientSession::State::give_back(const PreprocessingId& id) {
  broken = true;
  protocols.clear();
  ready.clear();
  try {
    ask_store(Command::use, id);
  } catch (const Error&) {
    // What we could not store is the error to tell.
  }
}

void ClientSession::State::expect_stored(StoreAnswer answer) {
  switch (answer) {
    case StoreAnswer::done:
      return;
    case StoreAnswer::refused:
      fail_peer("the server keeps no prepared inferences; ask its operator for --store, or infer without");
    case StoreAnswer::client_full:
      fail_peer(
          "the server keeps as many prepared inferences of this client as one may have there; use "
          "stored ones first, or ask its operator for a larger --store-client-limit");
    case StoreAnswer::full:
      fail_peer(
          "the server's store is full, mostly with inferences of other clients; try again later, or ask its "
          "operator for a larger --store-limit or --store-size");
    case StoreAnswer::failed:
      fail_peer(
          "the server cannot write to its store now; tell its operator, whose log says why, and try again later");
  }
}

PreprocessingId ClientSession::store(PreprocessingStore& store) {
  State& s = *state_;
  const auto expect = [&](bool there_is_room) {
    if (!there_is_room) fail_input("the store {} is full; use some of its inferences first", store.name());
  };
  s.expect_whole();
  if (s.ready.empty()) {
    expect(store.room(0) == Room::yes);
    prepare();
  }
  // Taken out of this session before it is written anywhere: it cannot be both used here and stored.
  const Material material = std::move(s.ready.front());
  s.ready.pop_front();
  const SecretBytes payload = serialise(material);
  expect(store.room(payload.size()) == Room::yes);
  PreprocessingId id;
  s.prng.fill(std::span<std::uint8_t>(id));
  s.expect_stored(s.ask_store(Command::store, id));
  // The server's half comes first: ours never waits in vain, unless the server loses its own.
  try {
    expect(store.save(id, payload) == PreprocessingStore::Saved::done);
  } catch (const Error&) {
    s.give_back(id);
    throw;
  }
  s.last = material.report;
  return id;
}

ClientSession::Use ClientSession::use(PreprocessingStore& store, const PreprocessingId& id) {
  State& s = *state_;
  s.expect_whole();
  Material material;
  Cost cost;
  Use result = Use::ready;
  s.measure(cost, [&] {
    const std::optional<SecretBytes> payload = store.read(id);
    if (!payload) {
      result = Use::taken;
      return;
    }
    try {
      static_cast<ClientPreprocessing&>(material) = parse_client_preprocessing(s.model, s.channel, *payload);
    } catch (const Error&) {
      store.consume(id);  // nobody can use it
      throw;
    }
    // The server's half goes first: a server that has none must not cost us ours, which belongs to another one. What
    // makes ours serve once is that it is taken out before anything of it is used.
    if (s.ask_store(Command::use, id) != StoreAnswer::done) {
      result = Use::unknown;
      return;
    }
    s.finish_or_end([&] {
      if (!store.consume(id)) {
        fail_input(
            "the stored inference {} was taken by another program while the server gave out its half; connect again",
            to_hex(id));
      }
    });
  });
  if (result != Use::ready) return result;
  material.report = s.empty_report(material.protocols);
  material.report.online = cost;
  material.report.from_store = 1;
  s.ready.push_front(std::move(material));
  return result;
}

SecretVector<std::int64_t> ClientSession::infer(std::span<const std::int32_t> input) {
  State& s = *state_;
  const nn::QNode& first = s.model.node(0);
  if (input.size() != s.model.size(0)) {
    fail_input("the image has {} values, the network takes {}", input.size(), s.model.size(0));
  }
  for (const std::int32_t v : input) AP_ASSERT(v >= first.low && v <= first.high);
  if (s.ready.empty()) prepare();
  // Taken out before the first byte leaves: whatever happens from here on, it cannot be used again.
  Material material = std::move(s.ready.front());
  s.ready.pop_front();
  Report& report = material.report;
  const int last = static_cast<int>(s.model.tensors()) - 1;
  SecretVector<std::int64_t> result(s.model.size(last));
  const auto online = [&] {
    s.channel.send(kCommand, Bytes{static_cast<std::uint8_t>(Command::infer)});
    const ShareModulus& in = s.model.modulus(0);
    Share masked(input.size());
    for (std::size_t i = 0; i < masked.size(); ++i) {
      masked[i] = in.subtract(in.from_signed(input[i]), material.input_mask[i]);
    }
    s.channel.send(kMaskedInput, pack_shares(masked, in));

    const std::size_t linears = s.model.linears().size();
    for (std::size_t i = 0; i < material.activations.size(); ++i) {
      s.measure(report.layers[linears + i].online, [&] { material.activations[i]->run(); });
      material.activations[i].reset();
    }

    const ShareModulus& out = s.model.modulus(last);
    const Bytes reply = s.channel.receive_exactly(kResult, packed_bytes(result.size(), out.bits()));
    const Share server_share = unpack_shares(reply, result.size(), out, "the result");
    for (std::size_t i = 0; i < result.size(); ++i) {
      const std::uint64_t value = out.add(server_share[i], material.result[i]);
      result[i] =
          s.model.reveals_label() ? class_or_none(value, s.model.size(last - 1)) : out.to_signed(value);
    }
    s.receive_statistics(report.online, report, &LayerCost::online);
  };
  s.finish_or_end([&] { s.measure(report.online, online); });
  // While it was counted, linear layers came first and activations after them.
  std::sort(report.layers.begin(), report.layers.end(),
            [](const auto& a, const auto& b) { return a.node < b.node; });
  s.last = std::move(report);
  return result;
}

bool ClientSession::whole() const { return !state_->broken; }

void ClientSession::finish() {
  state_->channel.send(kCommand, Bytes{static_cast<std::uint8_t>(Command::goodbye)});
}

}  // namespace ap::protocol
