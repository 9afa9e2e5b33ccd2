#include "app/client.h"

#include <fmt/format.h>

#include <autoprivacy/client.h>
#include <atomic>
#include <mutex>
#include <utility>

#include "app/api/connect_options.h"
#include "app/api/convert.h"
#include "app/api/translate.h"
#include "app/audit.h"
#include "app/connect.h"
#include "app/publisher.h"
#include "base/error.h"
#include "net/websocket/websocket.h"
#include "nn/execute/preprocess.h"

namespace autoprivacy {

using ap::app::translated;

struct Client::State {
  ap::package::Package package;
  ap::nn::Normalization normalization;
  // Each uses those before it.
  std::unique_ptr<ap::protocol::PreprocessingStore> store;
  std::unique_ptr<ap::net::Channel> channel;
  std::unique_ptr<ap::app::InferenceSession> session;
  std::mutex mutex;  ///< of what `channel` points to, which interrupt() uses from other threads
  std::atomic<bool> interrupted{false};

  explicit State(ap::package::Package opened) : package(std::move(opened)) {
    ap::app::require_security(ap::app::audit(package));
    normalization = ap::nn::Normalization::parse(package.normalization);
    normalization.check(package.network.input_shape().c);
  }

  void drop() {
    session.reset();
    {
      const std::lock_guard lock(mutex);
      channel.reset();
    }
    store.reset();
  }
  ap::app::InferenceSession& open() const {
    if (!session) ap::fail_input("there is no session with a server; connect first");
    return *session;
  }
  Classification classification(const ap::app::Answer& answer) const;
};

namespace {

Cost cost_of(const ap::protocol::Cost& cost, bool server_told) {
  return {cost.seconds, cost.client_cpu_s,
          server_told ? std::optional<double>(cost.server_cpu_s) : std::nullopt, cost.bytes_up,
          cost.bytes_down};
}

Report report_of(const ap::protocol::Report& report) {
  Report result;
  result.offline = cost_of(report.offline, report.server_told);
  result.online = cost_of(report.online, report.server_told);
  result.from_store = report.from_store > 0;
  for (const ap::protocol::LayerCost& layer : report.layers) {
    result.layers.push_back({layer.name, layer.op, layer.protocol, cost_of(layer.offline, report.server_told),
                             cost_of(layer.online, report.server_told)});
  }
  return result;
}

}  // namespace

Classification Client::State::classification(const ap::app::Answer& answer) const {
  Classification result;
  const int label = answer.label.front();
  if (label != ap::protocol::kNoClass) {
    result.label = label;
    result.name = ap::app::class_name(package, label);
  }
  result.scores = ap::app::scores(package.network, answer.logits);
  result.report = report_of(answer.report);
  return result;
}

Client::Client(const std::filesystem::path& package, const std::string& publisher)
    : state_(translated([&] {
        const auto key = ap::app::publisher_from(publisher);
        return std::make_unique<State>(ap::package::load(package, ap::Party::client, key ? &*key : nullptr));
      })) {}

Client::Client(std::span<const std::uint8_t> package)
    : state_(translated([&] {
        ap::package::Package opened = ap::package::parse(package, "the package");
        if (opened.role != ap::Party::client) {
          ap::fail_input(
              "a client needs the client's package (client.apm); this is the server's, with the weights");
        }
        return std::make_unique<State>(std::move(opened));
      })) {}

Client::~Client() {
  if (!state_) return;
  try {
    close();
  } catch (const Error&) {
    // There was no more to do than to say goodbye.
  }
}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Shape Client::input_shape() const { return ap::app::shape_of(state_->package.network.input_shape()); }
std::size_t Client::classes() const {
  return static_cast<std::size_t>(state_->package.network.output_shape().size());
}
const std::vector<std::string>& Client::labels() const { return state_->package.labels; }
std::string Client::framing() const { return state_->package.framing; }
bool Client::reveals_label() const { return state_->package.plan.reveal == ap::plan::Reveal::label; }
std::string Client::package_id() const { return ap::package::to_hex(state_->package.id); }

void Client::connect(const std::string& url, const ConnectOptions& options) {
  translated([&] {
    State& s = *state_;
    s.drop();
    ap::app::SessionOptions session;
    session.profile = ap::app::profile_of(options.unit_costs);
    session.notice = options.notice;
    if (!options.store.empty()) {
      s.store = ap::app::open_client_store(options.store, s.package.id, options.notice);
      session.store = s.store.get();
    }
    const ap::app::ConnectOptions wanted = ap::app::connect_options(url, options);
    if (options.on_wait) {
      session.on_wait = [told = options.on_wait](const ap::protocol::Waiting& waiting) {
        told(waiting.place > 0 ? std::optional<std::size_t>(waiting.place - 1) : std::nullopt, waiting.about);
      };
    }
    s.interrupted = false;
    try {
      ap::app::while_busy(
          options.place_wait,
          [&](std::chrono::milliseconds left) {
            session.patience = left;
            auto channel = ap::app::connect(wanted);
            {
              const std::lock_guard lock(s.mutex);
              s.channel = std::move(channel);
            }
            s.session = std::make_unique<ap::app::InferenceSession>(s.package, *s.channel, session);
          },
          session.on_wait, [&s] { return s.interrupted.load(); });
    } catch (...) {
      s.drop();
      throw;
    }
  });
}

bool Client::connected() const { return state_->session != nullptr; }

void Client::prepare(std::size_t count) {
  translated([&] {
    ap::app::InferenceSession& session = state_->open();
    for (std::size_t i = 0; i < count; ++i) session.prepare();
  });
}

std::size_t Client::prepared() const { return state_->session ? state_->session->prepared() : 0; }

std::size_t Client::store(std::size_t count) {
  return translated([&] {
    ap::app::InferenceSession& session = state_->open();
    for (std::size_t i = 0; i < count; ++i) session.store();
    return session.stored();
  });
}

Classification Client::classify(std::span<const std::uint8_t> pixels) {
  return translated([&] {
    const State& s = *state_;
    const ap::nn::Shape& shape = s.package.network.input_shape();
    ap::app::InferenceSession& session = s.open();
    return s.classification(
        session.infer(ap::nn::preprocess(s.package.network, pixels, shape, s.normalization)));
  });
}

Classification Client::classify(std::span<const float> input) {
  return translated([&] {
    const State& s = *state_;
    ap::app::InferenceSession& session = s.open();
    return s.classification(session.infer(ap::nn::preprocess(s.package.network, input)));
  });
}

std::vector<Classification> Client::classify(const Images& images, const ProgressCallback& progress) {
  return translated([&] {
    const State& s = *state_;
    ap::app::InferenceSession& session = s.open();
    ap::nn::Dataset data = ap::app::dataset_of(images, s.package.network.input_shape());
    const std::vector<ap::app::Image> inputs = ap::app::preprocess(s.package, data);
    ap::wipe(data.bytes.data(), data.bytes.size());
    ap::wipe(data.floats.data(), data.floats.size() * sizeof(float));
    std::vector<Classification> results;
    const auto answers = ap::app::infer_all(session, inputs, ap::app::sink_of(progress));
    for (const ap::app::Answer& answer : answers) results.push_back(s.classification(answer));
    return results;
  });
}

void Client::close() {
  translated([&] {
    State& s = *state_;
    if (!s.session) return;
    try {
      s.session->finish();
      s.channel->close();
    } catch (...) {
      s.drop();
      throw;
    }
    s.drop();
  });
}

void Client::interrupt() noexcept {
  state_->interrupted = true;
  const std::lock_guard lock(state_->mutex);
  auto* const connection = dynamic_cast<ap::net::ServedChannel*>(state_->channel.get());
  if (connection) connection->leave(std::chrono::milliseconds(0));
}

}  // namespace autoprivacy
