#include "protocol/engines.h"

#include <deque>

#include "base/error.h"
#include "nonlinear/activation_evaluator.h"
#include "nonlinear/activation_garbler.h"
#include "nonlinear/ot_activation.h"

namespace ap::protocol {
namespace {

using nonlinear::ActivationSpec;

class GarblingClient : public ClientEngine {
 public:
  explicit GarblingClient(net::Channel& channel) : garbler_(channel) {}
  void expect(std::span<const ActivationSpec>) override {}
  std::unique_ptr<ClientTask> prepare(const ActivationSpec& spec, ShareView b, ShareView masks) override {
    return std::make_unique<Task>(garbler_, garbler_.garble(spec, b, masks));
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
  void expect(std::span<const ActivationSpec>) override {}
  void announce(const ActivationSpec& spec) override { announced_.push_back(evaluator_.prepare(spec)); }
  std::unique_ptr<ServerTask> prepare(const ActivationSpec&) override {
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

class TransferClient : public ClientEngine {
 public:
  explicit TransferClient(net::Channel& channel) : party_(channel) {}
  void expect(std::span<const ActivationSpec> specs) override { party_.expect(specs); }
  std::unique_ptr<ClientTask> prepare(const ActivationSpec& spec, ShareView b, ShareView masks) override {
    if (spec.square) return std::make_unique<Task>(party_, party_.prepare(spec, b), ShareView(), masks);
    return std::make_unique<Task>(party_, party_.prepare(spec), b, masks);
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
  void expect(std::span<const ActivationSpec> specs) override { party_.expect(specs); }
  void announce(const ActivationSpec&) override {}
  std::unique_ptr<ServerTask> prepare(const ActivationSpec& spec) override {
    return std::make_unique<Task>(party_, party_.prepare(spec));
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

std::uint64_t material_bytes(const ActivationSpec& spec) {
  if (spec.square) return nonlinear::ot_cost(spec).server_material;
  return nonlinear::table_bytes(spec) + nonlinear::label_bytes(spec) + nonlinear::choice_bytes(spec);
}

}  // namespace ap::protocol
