#include "protocol/engines.h"

#include <algorithm>
#include <deque>

#include "base/error.h"
#include "nonlinear/activation_evaluator.h"
#include "nonlinear/activation_garbler.h"
#include "nonlinear/ot_activation.h"
#include "nonlinear/ot_plan.h"

namespace ap::protocol {
namespace {

using nonlinear::ActivationSpec;

class GarblingClient : public ClientEngine {
 public:
  explicit GarblingClient(net::Channel& channel) : garbler_(channel) {}
  void expect(std::span<const ActivationLayer* const>) override {}
  std::unique_ptr<ClientTask> prepare(const ActivationLayer& layer, ShareView b, ShareView masks) override {
    return std::make_unique<Task>(garbler_, garbler_.garble(layer.spec, b, masks));
  }

 private:
  struct Task : ClientTask {
    Task(nonlinear::ActivationGarbler& g, nonlinear::GarblerMaterial m)
        : garbler(g), material(std::move(m)) {}
    void run() override { garbler.answer(std::move(material)); }
    nonlinear::ActivationGarbler& garbler;
    nonlinear::GarblerMaterial material;
  };
  nonlinear::ActivationGarbler garbler_;
};

class GarblingServer : public ServerEngine {
 public:
  explicit GarblingServer(net::Channel& channel) : evaluator_(channel) {}
  void expect(std::span<const ActivationLayer* const>) override {}
  void announce(const ActivationLayer& layer) override {
    announced_.push_back(evaluator_.prepare(layer.spec));
  }
  std::unique_ptr<ServerTask> prepare(const ActivationLayer&) override {
    AP_ASSERT(!announced_.empty());
    nonlinear::PreparedChoices choices = std::move(announced_.front());
    announced_.pop_front();
    return std::make_unique<Task>(evaluator_, evaluator_.receive_tables(std::move(choices)));
  }

 private:
  struct Task : ServerTask {
    Task(nonlinear::ActivationEvaluator& e, nonlinear::EvaluatorMaterial m)
        : evaluator(e), material(std::move(m)) {}
    std::vector<std::uint64_t> run(ShareView a) override {
      evaluator.request(material, a);
      return evaluator.evaluate(std::move(material));
    }
    nonlinear::ActivationEvaluator& evaluator;
    nonlinear::EvaluatorMaterial material;
  };
  nonlinear::ActivationEvaluator evaluator_;
  std::deque<nonlinear::PreparedChoices> announced_;
};

nonlinear::OtCost cost_of(std::span<const ActivationLayer* const> layers) {
  nonlinear::OtCost sum;
  for (const ActivationLayer* layer : layers) sum += nonlinear::ot_cost(*layer->ot_plan);
  return sum;
}

class TransferClient : public ClientEngine {
 public:
  explicit TransferClient(net::Channel& channel) : party_(channel) {}
  void expect(std::span<const ActivationLayer* const> layers) override { party_.expect(cost_of(layers)); }
  std::unique_ptr<ClientTask> prepare(const ActivationLayer& layer, ShareView b, ShareView masks) override {
    if (layer.spec.square) {
      return std::make_unique<Task>(party_, party_.prepare(layer.ot_plan, b), ShareView(), masks);
    }
    return std::make_unique<Task>(party_, party_.prepare(layer.ot_plan), b, masks);
  }

 private:
  struct Task : ClientTask {
    Task(nonlinear::OtActivationClient& p, nonlinear::OtClientMaterial m, ShareView share, ShareView mask)
        : party(p), material(std::move(m)), b(share.begin(), share.end()), masks(mask.begin(), mask.end()) {}
    void run() override { party.run(std::move(material), b, masks); }
    nonlinear::OtActivationClient& party;
    nonlinear::OtClientMaterial material;
    Share b, masks;
  };
  nonlinear::OtActivationClient party_;
};

class TransferServer : public ServerEngine {
 public:
  explicit TransferServer(net::Channel& channel) : party_(channel) {}
  void expect(std::span<const ActivationLayer* const> layers) override { party_.expect(cost_of(layers)); }
  void announce(const ActivationLayer&) override {}
  std::unique_ptr<ServerTask> prepare(const ActivationLayer& layer) override {
    return std::make_unique<Task>(party_, party_.prepare(layer.ot_plan));
  }

 private:
  struct Task : ServerTask {
    Task(nonlinear::OtActivationServer& p, nonlinear::OtServerMaterial m)
        : party(p), material(std::move(m)) {}
    std::vector<std::uint64_t> run(ShareView a) override { return party.run(std::move(material), a); }
    nonlinear::OtActivationServer& party;
    nonlinear::OtServerMaterial material;
  };
  nonlinear::OtActivationServer party_;
};

// Processor seconds on a recent core, both parties: per half-gate, per transferred input bit, per silent
// transfer, and per byte that goes through TLS. Fitted to whole runs of ResNet-32 by either engine.
constexpr double kSecondsPerAnd = 20e-9;
constexpr double kSecondsPerInputBit = 25e-9;
constexpr double kSecondsPerTransfer = 80e-9;
constexpr double kSecondsPerByte = 1.5e-9;
constexpr double kBytesPerTransfer = 0.05;

}  // namespace

const char* engine_name(Engine engine) {
  switch (engine) {
    case Engine::gc:
      return "gc";
    case Engine::ot:
      return "ot";
    case Engine::beaver:
      return "beaver";
  }
  AP_ASSERT(false);
  return "";
}

std::unique_ptr<ClientEngine> make_client_engine(Engine engine, net::Channel& channel) {
  if (engine == Engine::gc) return std::make_unique<GarblingClient>(channel);
  return std::make_unique<TransferClient>(channel);
}

std::unique_ptr<ServerEngine> make_server_engine(Engine engine, net::Channel& channel) {
  if (engine == Engine::gc) return std::make_unique<GarblingServer>(channel);
  return std::make_unique<TransferServer>(channel);
}

namespace {

EngineCost garbling_cost(const ActivationSpec& spec) {
  const double bits = static_cast<double>(spec.inputs) * spec.share_bits();
  const auto bytes = static_cast<double>(nonlinear::column_bytes(spec) + nonlinear::table_bytes(spec) +
                                         nonlinear::choice_bytes(spec) + nonlinear::label_bytes(spec));
  return {bytes, 2,
          static_cast<double>(nonlinear::and_gates(spec)) * kSecondsPerAnd + bits * kSecondsPerInputBit +
              bytes * kSecondsPerByte};
}

EngineCost transfer_cost(const nonlinear::OtCost& cost) {
  const auto transfers = static_cast<double>(cost.client_cots + cost.server_cots);
  const double bytes =
      static_cast<double>(cost.offline_bytes + cost.client_bytes + cost.server_bytes) +
      transfers * kBytesPerTransfer;
  return {bytes, static_cast<double>(cost.flights),
          transfers * kSecondsPerTransfer + bytes * kSecondsPerByte};
}

}  // namespace

EngineCost engine_cost(Engine engine, const ActivationSpec& spec) {
  return engine == Engine::gc ? garbling_cost(spec) : transfer_cost(nonlinear::ot_cost(spec));
}

EngineCost engine_cost(Engine engine, const ActivationLayer& layer) {
  return engine == Engine::gc ? garbling_cost(layer.spec) : transfer_cost(nonlinear::ot_cost(*layer.ot_plan));
}

std::uint64_t material_bytes(const ActivationLayer& layer) {
  const ActivationSpec& spec = layer.spec;
  const std::uint64_t transferred = layer.ot_plan ? nonlinear::ot_cost(*layer.ot_plan).server_material : 0;
  if (layer.engine == "ot" || layer.engine == "beaver") return transferred;
  return std::max(transferred, nonlinear::table_bytes(spec) + nonlinear::label_bytes(spec) +
                                   nonlinear::choice_bytes(spec));
}

}  // namespace ap::protocol
