// Trains the bundled Fashion-MNIST network and writes it as ONNX: stochastic gradient descent with Nesterov
// momentum, a warm-up and a cosine decay of the step, mirrored and shifted images. The test images decide
// nothing; they are used once, at the end, through the folded weights that are exported.
#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <numbers>

#include "base/error.h"
#include "images.h"
#include "network.h"
#include "onnx_writer.h"

namespace ap::train {
namespace {

struct Options {
  std::filesystem::path data = "/usr/share/datasets/fashion-mnist";
  std::filesystem::path out = "models/fashion_mnist.onnx";
  std::array<int, 3> channels{16, 32, 32};
  int epochs = 40;
  int batch = 128;
  int max_shift = 1;
  double rate = 0.1;
  double weight_decay = 5e-4;
  std::uint64_t seed = 1;
  int threads = 1;
};

/// The folded network in the clear, as the ONNX file states it.
torch::Tensor run_folded(const std::array<FoldedConvolution, 3>& convolutions, const FashionNetwork& network,
                         torch::Tensor x) {
  for (const auto& c : convolutions) {
    x = torch::relu(torch::conv2d(x, c.weights, c.bias, c.stride, c.padding));
  }
  return torch::addmm(network->classifier_bias(), x.flatten(1), network->classifier_weights().t());
}

double top1(const FashionNetwork& network, const LabelledImages& images) {
  const torch::NoGradGuard no_gradients;
  const auto convolutions = network->folded();
  std::int64_t right = 0;
  for (std::int64_t begin = 0; begin < images.count(); begin += 1000) {
    const auto indices = torch::arange(begin, std::min(begin + 1000, images.count()));
    const auto logits = run_folded(convolutions, network, make_batch(images, indices));
    right += logits.argmax(1).eq(images.labels.index_select(0, indices)).sum().item<std::int64_t>();
  }
  return 100.0 * static_cast<double>(right) / static_cast<double>(images.count());
}

double learning_rate(const Options& options, std::int64_t step, std::int64_t steps) {
  const std::int64_t warm_up = steps / 20 + 1;
  if (step < warm_up) return options.rate * static_cast<double>(step + 1) / static_cast<double>(warm_up);
  const double share = static_cast<double>(step - warm_up) / static_cast<double>(steps - warm_up);
  return options.rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

void train(FashionNetwork& network, const LabelledImages& images, const Options& options) {
  std::mt19937_64 random(options.seed);
  torch::optim::SGD optimiser(
      network->parameters(),
      torch::optim::SGDOptions(options.rate).momentum(0.9).nesterov(true).weight_decay(options.weight_decay));
  torch::nn::CrossEntropyLoss loss_of(torch::nn::CrossEntropyLossOptions().label_smoothing(0.05));
  const std::int64_t steps_per_epoch = images.count() / options.batch;
  network->train();
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    const auto order = torch::randperm(images.count(), torch::kInt64);
    double loss_sum = 0;
    for (std::int64_t i = 0; i < steps_per_epoch; ++i) {
      const auto indices = order.slice(0, i * options.batch, (i + 1) * options.batch).contiguous();
      const double rate =
          learning_rate(options, epoch * steps_per_epoch + i, options.epochs * steps_per_epoch);
      static_cast<torch::optim::SGDOptions&>(optimiser.param_groups()[0].options()).lr(rate);
      const auto logits = network->forward(make_augmented_batch(images, indices, options.max_shift, random));
      const auto loss = loss_of(logits, images.labels.index_select(0, indices));
      optimiser.zero_grad();
      loss.backward();
      optimiser.step();
      loss_sum += loss.item<double>();
    }
    std::printf("epoch %d of %d: mean loss %.4f\n", epoch + 1, options.epochs,
                loss_sum / static_cast<double>(steps_per_epoch));
    std::fflush(stdout);
  }
  network->eval();
}

std::int64_t parameter_count(const FashionNetwork& network) {
  std::int64_t count = network->classifier_weights().numel() + network->classifier_bias().numel();
  for (const auto& c : network->folded()) count += c.weights.numel() + c.bias.numel();
  return count;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Trains the bundled Fashion-MNIST network and writes it as ONNX");
  app.add_option("--data", options.data, "directory of the four gzipped idx files")->capture_default_str();
  app.add_option("--out", options.out, "ONNX file to write")->capture_default_str();
  app.add_option("--channels", options.channels, "output channels of the three convolutions");
  app.add_option("--epochs", options.epochs)->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--threads", options.threads, "the result depends on it in the last bits")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorCode::input);
  }
  torch::manual_seed(options.seed);
  torch::set_num_threads(options.threads);
  const LabelledImages training = read_images(options.data, "train");
  const LabelledImages test = read_images(options.data, "t10k");
  FashionNetwork network(options.channels);
  train(network, training, options);
  write_onnx(options.out, network->folded(), network->classifier_weights(), network->classifier_bias(),
             "Fashion-MNIST, input (pixel/255 - 0.2860)/0.3530, NCHW 1x28x28");
  std::printf("%lld parameters, %d ReLUs per image\n", static_cast<long long>(parameter_count(network)),
              network->relu_count());
  std::printf("top-1 on %lld training images: %.2f %%\n", static_cast<long long>(training.count()),
              top1(network, training));
  std::printf("top-1 on %lld test images: %.2f %%\n", static_cast<long long>(test.count()),
              top1(network, test));
  std::printf("wrote %s\n", options.out.c_str());
  return 0;
}

}  // namespace
}  // namespace ap::train

int main(int argc, char** argv) {
  try {
    return ap::train::run(argc, argv);
  } catch (const ap::Error& error) {
    std::fprintf(stderr, "train_fashion_mnist: %s\n", error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_fashion_mnist: %s\n", error.what());
    return 1;
  }
}
