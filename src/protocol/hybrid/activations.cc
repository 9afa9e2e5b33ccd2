#include "protocol/hybrid/activations.h"

#include <algorithm>
#include <deque>
#include <variant>

#include "base/error.h"
#include "layers/activation/gc/activation_evaluator.h"
#include "layers/activation/gc/activation_garbler.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/layer_plan.h"
#include "layers/activation/one_trip/one_trip_activation.h"
#include "layers/activation/ot/ot_activation.h"

namespace ap::protocol {
namespace {

using activation::ActivationSpec;

template <typename T>
T take_first(std::deque<T>& queue) {
  AP_ASSERT(!queue.empty());
  T first = std::move(queue.front());
  queue.pop_front();
  return first;
}

struct GarbledClientTask : ClientTask {
  GarbledClientTask(net::Channel& c, activation::GarblerPreprocessing m)
      : channel(c), material(std::move(m)) {}
  void run() override { activation::ActivationGarbler::answer(channel, std::move(material)); }
  void save(SecretWriter& out) const override { material.save(out); }
  net::Channel& channel;
  activation::GarblerPreprocessing material;
};

struct GarbledServerTask : ServerTask {
  GarbledServerTask(net::Channel& c, activation::EvaluatorPreprocessing m)
      : channel(c), material(std::move(m)) {}
  std::vector<std::uint64_t> run(ShareView a) override {
    activation::ActivationEvaluator::request(channel, material, a);
    return activation::ActivationEvaluator::evaluate(channel, std::move(material));
  }
  void save(SecretWriter& out) const override { material.save(out); }
  net::Channel& channel;
  activation::EvaluatorPreprocessing material;
};

struct OtClientTask : ClientTask {
  OtClientTask(net::Channel& c, activation::OtClientPreprocessing m, Share share, Share mask)
      : channel(c), material(std::move(m)), b(std::move(share)), masks(std::move(mask)) {}
  void run() override { activation::OtActivationClient::run(channel, std::move(material), b, masks); }
  void save(SecretWriter& out) const override {
    out.array(b);
    out.array(masks);
    material.save(out);
  }
  net::Channel& channel;
  activation::OtClientPreprocessing material;
  Share b, masks;
};

struct OneTripClientTask : ClientTask {
  OneTripClientTask(net::Channel& c, activation::OneTripClientPreprocessing m)
      : channel(c), material(std::move(m)) {}
  void run() override { activation::OneTripClient::run(channel, std::move(material)); }
  void save(SecretWriter& out) const override { material.save(out); }
  net::Channel& channel;
  activation::OneTripClientPreprocessing material;
};

/// Party::run(channel, material, a), of the protocols by transfers.
template <typename Party, typename Material>
struct TransferServerTask : ServerTask {
  TransferServerTask(net::Channel& c, Material m) : channel(c), material(std::move(m)) {}
  std::vector<std::uint64_t> run(ShareView a) override { return Party::run(channel, std::move(material), a); }
  void save(SecretWriter& out) const override { material.save(out); }
  net::Channel& channel;
  Material material;
};
using OtServerTask = TransferServerTask<activation::OtActivationServer, activation::OtServerPreprocessing>;
using OneTripServerTask =
    TransferServerTask<activation::OneTripServer, activation::OneTripServerPreprocessing>;

class GarblingClient : public ActivationClient {
 public:
  GarblingClient(net::Channel& channel, const SessionKey& session)
      : channel_(channel), garbler_(channel, session) {}
  void expect(std::span<const ChosenLayer>) override {}
  void begin(const ChosenLayer&) override {}
  std::unique_ptr<ClientTask> prepare(const ActivationLayer& layer, ShareView b, ShareView masks) override {
    return std::make_unique<GarbledClientTask>(channel_, garbler_.garble(layer.spec, b, masks));
  }
  void finish() override {}  // columns are checked as they come

 private:
  net::Channel& channel_;
  activation::ActivationGarbler garbler_;
};

class GarblingServer : public ActivationServer {
 public:
  GarblingServer(net::Channel& channel, const SessionKey& session)
      : channel_(channel), evaluator_(channel, session) {}
  void expect(std::span<const ChosenLayer>) override {}
  void begin(const ChosenLayer&) override {}
  void announce(const ActivationLayer& layer) override {
    announced_.push_back(evaluator_.prepare(layer.spec));
  }
  std::unique_ptr<ServerTask> prepare(const ActivationLayer&) override {
    return std::make_unique<GarbledServerTask>(channel_, evaluator_.receive_tables(take_first(announced_)));
  }
  void finish() override {}

 private:
  net::Channel& channel_;
  activation::ActivationEvaluator evaluator_;
  std::deque<activation::PreparedChoices> announced_;
};

activation::OtCost cost_of(std::span<const ChosenLayer> layers) {
  activation::OtCost sum;
  for (const auto& [layer, protocol] : layers) {
    sum += protocol == ActivationProtocol::one_trip ? activation::one_trip_cost(*layer.one_trip_plan)
                                                    : activation::ot_cost(*layer.ot_plan);
  }
  return sum;
}

class OtClient : public ActivationClient {
 public:
  OtClient(net::Channel& channel, const SessionKey& session) : channel_(channel), party_(channel, session) {}
  void expect(std::span<const ChosenLayer> layers) override { party_.expect(cost_of(layers)); }
  void begin(const ChosenLayer& chosen) override {
    if (chosen.protocol == ActivationProtocol::one_trip) {
      begun_.emplace_back(activation::OneTripClient::begin(party_, chosen.layer.one_trip_plan));
    } else {
      begun_.emplace_back(party_.begin(chosen.layer.ot_plan));
    }
  }
  std::unique_ptr<ClientTask> prepare(const ActivationLayer& layer, ShareView b, ShareView masks) override {
    Begun begun = take_first(begun_);
    if (auto* one_trip = std::get_if<activation::OneTripClientPreprocessing>(&begun)) {
      activation::OneTripClient::complete(party_, *one_trip, b, masks);
      return std::make_unique<OneTripClientTask>(channel_, std::move(*one_trip));
    }
    auto& material = std::get<activation::OtClientPreprocessing>(begun);
    const bool offline = layer.spec.needs_words_offline();
    party_.complete(material, offline ? b : ShareView());
    return std::make_unique<OtClientTask>(channel_, std::move(material),
                                          offline ? Share() : Share(b.begin(), b.end()),
                                          Share(masks.begin(), masks.end()));
  }
  void finish() override { party_.finish(); }

 private:
  net::Channel& channel_;
  using Begun = std::variant<activation::OtClientPreprocessing, activation::OneTripClientPreprocessing>;
  activation::OtActivationClient party_;
  std::deque<Begun> begun_;
};

class OtServer : public ActivationServer {
 public:
  OtServer(net::Channel& channel, const SessionKey& session) : channel_(channel), party_(channel, session) {}
  void expect(std::span<const ChosenLayer> layers) override { party_.expect(cost_of(layers)); }
  void begin(const ChosenLayer& chosen) override {
    if (chosen.protocol == ActivationProtocol::one_trip) {
      begun_.emplace_back(activation::OneTripServer::begin(party_, chosen.layer.one_trip_plan));
    } else {
      begun_.emplace_back(party_.begin(chosen.layer.ot_plan));
    }
  }
  void announce(const ActivationLayer&) override {}
  std::unique_ptr<ServerTask> prepare(const ActivationLayer&) override {
    Begun begun = take_first(begun_);
    if (auto* one_trip = std::get_if<activation::OneTripServerPreprocessing>(&begun)) {
      activation::OneTripServer::complete(party_, *one_trip);
      return std::make_unique<OneTripServerTask>(channel_, std::move(*one_trip));
    }
    auto& material = std::get<activation::OtServerPreprocessing>(begun);
    party_.complete(material);
    return std::make_unique<OtServerTask>(channel_, std::move(material));
  }
  void finish() override { party_.finish(); }

 private:
  net::Channel& channel_;
  using Begun = std::variant<activation::OtServerPreprocessing, activation::OneTripServerPreprocessing>;
  activation::OtActivationServer party_;
  std::deque<Begun> begun_;
};

}  // namespace

std::unique_ptr<ActivationClient> make_activation_client(ActivationProtocol protocol, net::Channel& channel,
                                                         const SessionKey& session) {
  if (protocol == ActivationProtocol::gc) return std::make_unique<GarblingClient>(channel, session);
  return std::make_unique<OtClient>(channel, session);
}

std::unique_ptr<ActivationServer> make_activation_server(ActivationProtocol protocol, net::Channel& channel,
                                                         const SessionKey& session) {
  if (protocol == ActivationProtocol::gc) return std::make_unique<GarblingServer>(channel, session);
  return std::make_unique<OtServer>(channel, session);
}

std::unique_ptr<ClientTask> restore_client_task(ActivationProtocol protocol, net::Channel& channel,
                                                const ActivationLayer& layer, ByteReader& in) {
  const ActivationSpec& spec = layer.spec;
  if (protocol == ActivationProtocol::gc) {
    return std::make_unique<GarbledClientTask>(channel, activation::GarblerPreprocessing::restore(spec, in));
  }
  if (protocol == ActivationProtocol::one_trip) {
    return std::make_unique<OneTripClientTask>(
        channel, activation::OneTripClientPreprocessing::restore(layer.one_trip_plan, in));
  }
  const std::size_t count = spec.needs_words_offline() ? 0 : spec.inputs;
  Share b = read_array<Share>(in, count);
  Share masks = read_array<Share>(in, spec.outputs);
  activation::check_words("the stored b", b, count, spec.share_bits());
  activation::check_words("the stored r", masks, spec.outputs, spec.out_bits);
  return std::make_unique<OtClientTask>(
      channel, activation::OtClientPreprocessing::restore(layer.ot_plan, in), std::move(b), std::move(masks));
}

std::unique_ptr<ServerTask> restore_server_task(ActivationProtocol protocol, net::Channel& channel,
                                                const ActivationLayer& layer, ByteReader& in) {
  if (protocol == ActivationProtocol::gc) {
    return std::make_unique<GarbledServerTask>(channel,
                                               activation::EvaluatorPreprocessing::restore(layer.spec, in));
  }
  if (protocol == ActivationProtocol::one_trip) {
    return std::make_unique<OneTripServerTask>(
        channel, activation::OneTripServerPreprocessing::restore(layer.one_trip_plan, in));
  }
  return std::make_unique<OtServerTask>(channel,
                                        activation::OtServerPreprocessing::restore(layer.ot_plan, in));
}

std::uint64_t preprocessing_bytes(const ActivationLayer& layer) {
  const ActivationSpec& spec = layer.spec;
  std::uint64_t transferred = layer.ot_plan ? activation::ot_cost(*layer.ot_plan).server_preprocessing : 0;
  if (layer.one_trip_plan) {
    transferred = std::max(transferred, activation::one_trip_cost(*layer.one_trip_plan).server_preprocessing);
  }
  if (layer.protocol != "gc" && layer.protocol != "auto") return transferred;
  return std::max(transferred, activation::table_bytes(spec) + activation::label_bytes(spec) +
                                   activation::choice_bytes(spec));
}

}  // namespace ap::protocol
