#include "protocol/hybrid/activations.h"

#include <algorithm>
#include <deque>

#include "base/error.h"
#include "layers/activation/gc/activation_evaluator.h"
#include "layers/activation/gc/activation_garbler.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/layer_plan.h"
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

struct OtServerTask : ServerTask {
  OtServerTask(net::Channel& c, activation::OtServerPreprocessing m) : channel(c), material(std::move(m)) {}
  std::vector<std::uint64_t> run(ShareView a) override {
    return activation::OtActivationServer::run(channel, std::move(material), a);
  }
  void save(SecretWriter& out) const override { material.save(out); }
  net::Channel& channel;
  activation::OtServerPreprocessing material;
};

class GarblingClient : public ActivationClient {
 public:
  GarblingClient(net::Channel& channel, const SessionKey& session)
      : channel_(channel), garbler_(channel, session) {}
  void expect(std::span<const ActivationLayer* const>) override {}
  void begin(const ActivationLayer&) override {}
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
  void expect(std::span<const ActivationLayer* const>) override {}
  void begin(const ActivationLayer&) override {}
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

activation::OtCost cost_of(std::span<const ActivationLayer* const> layers) {
  activation::OtCost sum;
  for (const ActivationLayer* layer : layers) sum += activation::ot_cost(*layer->ot_plan);
  return sum;
}

class OtClient : public ActivationClient {
 public:
  OtClient(net::Channel& channel, const SessionKey& session) : channel_(channel), party_(channel, session) {}
  void expect(std::span<const ActivationLayer* const> layers) override { party_.expect(cost_of(layers)); }
  void begin(const ActivationLayer& layer) override { begun_.push_back(party_.begin(layer.ot_plan)); }
  std::unique_ptr<ClientTask> prepare(const ActivationLayer& layer, ShareView b, ShareView masks) override {
    activation::OtClientPreprocessing material = take_first(begun_);
    const bool offline = layer.spec.needs_words_offline();
    party_.complete(material, offline ? b : ShareView());
    return std::make_unique<OtClientTask>(channel_, std::move(material),
                                          offline ? Share() : Share(b.begin(), b.end()),
                                          Share(masks.begin(), masks.end()));
  }
  void finish() override { party_.finish(); }

 private:
  net::Channel& channel_;
  activation::OtActivationClient party_;
  std::deque<activation::OtClientPreprocessing> begun_;
};

class OtServer : public ActivationServer {
 public:
  OtServer(net::Channel& channel, const SessionKey& session) : channel_(channel), party_(channel, session) {}
  void expect(std::span<const ActivationLayer* const> layers) override { party_.expect(cost_of(layers)); }
  void begin(const ActivationLayer& layer) override { begun_.push_back(party_.begin(layer.ot_plan)); }
  void announce(const ActivationLayer&) override {}
  std::unique_ptr<ServerTask> prepare(const ActivationLayer&) override {
    activation::OtServerPreprocessing material = take_first(begun_);
    party_.complete(material);
    return std::make_unique<OtServerTask>(channel_, std::move(material));
  }
  void finish() override { party_.finish(); }

 private:
  net::Channel& channel_;
  activation::OtActivationServer party_;
  std::deque<activation::OtServerPreprocessing> begun_;
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
  return std::make_unique<OtServerTask>(channel,
                                        activation::OtServerPreprocessing::restore(layer.ot_plan, in));
}

std::uint64_t preprocessing_bytes(const ActivationLayer& layer) {
  const ActivationSpec& spec = layer.spec;
  const std::uint64_t transferred =
      layer.ot_plan ? activation::ot_cost(*layer.ot_plan).server_preprocessing : 0;
  if (layer.protocol == "ot" || layer.protocol == "beaver") return transferred;
  return std::max(transferred, activation::table_bytes(spec) + activation::label_bytes(spec) +
                                   activation::choice_bytes(spec));
}

}  // namespace ap::protocol
