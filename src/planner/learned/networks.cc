#include "planner/learned/networks.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <torch/nn/functional/activation.h>

#include <cmath>

namespace ap::ddpg {
namespace {

constexpr int kFirst = 400, kSecond = 300;
constexpr double kLastBound = 0.003;

void initialise(torch::nn::Linear& layer, double bound, at::Generator& generator) {
  const torch::NoGradGuard guard;
  layer->weight.uniform_(-bound, bound, generator);
  layer->bias.uniform_(-bound, bound, generator);
}

void save_tensor(ByteWriter& out, const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.detach().contiguous();
  out.raw({static_cast<const std::uint8_t*>(flat.data_ptr()), static_cast<std::size_t>(flat.nbytes())});
}

/// Fills a tensor in place.
void load_tensor(ByteReader& in, const torch::Tensor& tensor) {
  const torch::NoGradGuard guard;
  torch::Tensor flat = torch::empty(tensor.sizes());
  const ByteView bytes = in.raw(static_cast<std::size_t>(flat.nbytes()));
  std::memcpy(flat.data_ptr(), bytes.data(), bytes.size());
  tensor.copy_(flat);
}

std::string key_of(const torch::Tensor& parameter) {
  return c10::guts::to_string(parameter.unsafeGetTensorImpl());
}

}  // namespace

PerceptronImpl::PerceptronImpl(int inputs, bool sigmoid, std::uint64_t seed)
    : sigmoid_(sigmoid),
      first_(register_module("first", torch::nn::Linear(inputs, kFirst))),
      second_(register_module("second", torch::nn::Linear(kFirst, kSecond))),
      last_(register_module("last", torch::nn::Linear(kSecond, 1))) {
  // A generator of its own: nothing else that uses libtorch is disturbed, and nothing disturbs this.
  at::Generator generator = at::detail::createCPUGenerator(seed);
  initialise(first_, 1 / std::sqrt(inputs), generator);
  initialise(second_, 1 / std::sqrt(kFirst), generator);
  initialise(last_, kLastBound, generator);
}

torch::Tensor PerceptronImpl::forward(torch::Tensor x) {
  x = torch::relu(first_->forward(x));
  x = last_->forward(torch::relu(second_->forward(x)));
  return sigmoid_ ? torch::sigmoid(x) : x;
}

void follow(Perceptron& target, Perceptron& source, double rate) {
  const torch::NoGradGuard guard;
  const std::vector<torch::Tensor> to = target->parameters(), from = source->parameters();
  for (std::size_t i = 0; i < to.size(); ++i) to[i].mul_(1 - rate).add_(from[i], rate);
}

SingleThread::SingleThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
SingleThread::~SingleThread() { at::set_num_threads(before_); }

std::vector<float> flat_weights(Perceptron& network) {
  std::vector<float> all;
  for (const torch::Tensor& parameter : network->parameters()) {
    const torch::Tensor flat = parameter.detach().contiguous();
    all.insert(all.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  }
  return all;
}

void save(ByteWriter& out, Perceptron& network) {
  for (const torch::Tensor& parameter : network->parameters()) save_tensor(out, parameter);
}

void save(ByteWriter& out, Perceptron& network, torch::optim::Adam& optimiser) {
  save(out, network);
  for (const torch::Tensor& parameter : network->parameters()) {
    const auto found = optimiser.state().find(key_of(parameter));
    out.u8(found != optimiser.state().end());
    if (found == optimiser.state().end()) continue;
    const auto& state = static_cast<const torch::optim::AdamParamState&>(*found->second);
    out.u64(static_cast<std::uint64_t>(state.step()));
    save_tensor(out, state.exp_avg());
    save_tensor(out, state.exp_avg_sq());
  }
}

void load(ByteReader& in, Perceptron& network) {
  for (const torch::Tensor& parameter : network->parameters()) load_tensor(in, parameter);
}

void load(ByteReader& in, Perceptron& network, torch::optim::Adam& optimiser) {
  load(in, network);
  for (const torch::Tensor& parameter : network->parameters()) {
    optimiser.state().erase(key_of(parameter));
    if (in.u8() == 0) continue;
    auto state = std::make_unique<torch::optim::AdamParamState>();
    state->step(static_cast<std::int64_t>(in.u64()));
    state->exp_avg(torch::empty(parameter.sizes()));
    state->exp_avg_sq(torch::empty(parameter.sizes()));
    load_tensor(in, state->exp_avg());
    load_tensor(in, state->exp_avg_sq());
    optimiser.state()[key_of(parameter)] = std::move(state);
  }
}

}  // namespace ap::ddpg
