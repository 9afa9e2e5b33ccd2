#include "train/trainer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "analysis/noise/counter_random.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "train/checkpoint.h"
#include "train/optimiser.h"

namespace ap::train {
namespace {

using Clock = std::chrono::steady_clock;

/// Fowler, Noll and Vo's hash of everything that decides a training.
class Fingerprint {
 public:
  Fingerprint& add(std::string_view text) {
    for (const char c : text) hash_ = (hash_ ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
    return *this;
  }
  template <typename T>
  Fingerprint& number(T value) {
    return add(fmt::format("{};", value));
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

std::uint64_t fingerprint(const Model& model, const Samples& samples, const TrainOptions& o,
                          const std::string& stage) {
  Fingerprint f;
  f.add(stage).number(model.fingerprint()).add(samples.data->source).add(samples.normalization.to_string());
  f.number(samples.size()).number(samples.which.front()).number(samples.which.back());
  f.number(static_cast<int>(o.optimiser)).number(o.epochs).number(o.batch).number(o.rate).number(o.warm_up);
  f.number(o.momentum)
      .number(o.weight_decay)
      .number(o.max_gradient)
      .number(o.label_smoothing)
      .number(o.dropout);
  f.number(o.augmentation.mirror).number(o.augmentation.shift).number(o.seed);
  return f.value();
}

class Trainer {
 public:
  Trainer(Model& model, const Samples& samples, const TrainOptions& options, const std::string& stage)
      : model_(model),
        samples_(samples),
        options_(options),
        stage_(stage),
        stepper_(model.leaves(), options),
        batch_(std::min<std::size_t>(static_cast<std::size_t>(options.batch), samples.size())),
        per_epoch_(static_cast<std::int64_t>(samples.size() / batch_)),
        steps_(per_epoch_ * options.epochs),
        fingerprint_(fingerprint(model, samples, options, stage)) {
    if (!options.checkpoint.empty()) checkpoint_ = options.checkpoint.string() + "." + stage;
  }

  TrainReport run() {
    start_ = Clock::now();
    std::int64_t step = resumed();
    first_ = step;
    Progress progress("train " + stage_, static_cast<std::uint64_t>(steps_), options_.progress);
    progress.advance(static_cast<std::uint64_t>(step));
    for (; step < steps_; ++step) {
      if (options_.stop && options_.stop()) {
        report_.stopped = true;
        break;
      }
      loss_sum_ += take(step);
      progress.advance();
      if ((step + 1) % per_epoch_ == 0) end_epoch(step + 1);
    }
    if (report_.stopped) write(step);
    report_.steps = step;
    report_.seconds = since_start();
    return report_;
  }

 private:
  double since_start() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  /// A permutation of the samples for each epoch.
  const std::vector<std::uint32_t>& order_of(std::int64_t epoch) {
    if (epoch == ordered_epoch_) return order_;
    order_.resize(samples_.size());
    std::iota(order_.begin(), order_.end(), 0U);
    const std::uint64_t key = noise::counter_key(options_.seed, static_cast<std::uint64_t>(epoch), 1, 0);
    for (std::size_t i = order_.size(); i > 1; --i) {
      std::swap(order_[i - 1], order_[noise::counter_bits(key, i) % i]);
    }
    ordered_epoch_ = epoch;
    return order_;
  }

  double take(std::int64_t step) {
    const std::int64_t epoch = step / per_epoch_;
    const std::vector<std::uint32_t>& order = order_of(epoch);
    const std::span<const std::uint32_t> chosen(
        order.data() + static_cast<std::size_t>(step % per_epoch_) * batch_, batch_);
    const nn::Shape& shape = samples_.shape();
    const auto count = static_cast<std::int64_t>(batch_);
    at::Tensor images = at::empty({count, shape.c, shape.h, shape.w});
    assemble(samples_, chosen, options_.augmentation,
             noise::counter_key(options_.seed, static_cast<std::uint64_t>(epoch), 2, 0),
             {images.data_ptr<float>(), static_cast<std::size_t>(images.numel())});
    at::Tensor labels = at::empty({count}, at::kLong);
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      labels.data_ptr<std::int64_t>()[i] = samples_.label(chosen[i]);
      numbers.push_back(samples_.which[chosen[i]]);
    }
    // Dropout draws from the global generator: set anew for each step, so that a resumed training repeats it.
    at::manual_seed(noise::counter_key(options_.seed, static_cast<std::uint64_t>(step), 3, 0));
    stepper_.zero_gradients();
    const at::Tensor logits = model_.logits(
        {images, numbers, epoch, static_cast<double>(step) / static_cast<double>(steps_), true});
    const at::Tensor loss =
        at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, options_.label_smoothing);
    const auto value = loss.item<double>();
    if (!std::isfinite(value)) {
      throw Diverged(ErrorCode::input,
                     fmt::format("the loss of training stage '{}' is no longer a number at step {} "
                                 "of {}; lower the learning rate (now {})",
                                 stage_, step + 1, steps_, options_.rate));
    }
    loss.backward();
    stepper_.step(learning_rate(options_, step, steps_), step);
    return value;
  }

  void end_epoch(std::int64_t done) {
    report_.losses.push_back(loss_sum_ / static_cast<double>(per_epoch_));
    loss_sum_ = 0;
    write(done);
    if (!options_.on_epoch) return;
    const double left =
        since_start() / static_cast<double>(done - first_) * static_cast<double>(steps_ - done);
    options_.on_epoch({stage_, done / per_epoch_, options_.epochs, report_.losses.back(), left});
  }

  std::vector<at::Tensor> state() const {
    std::vector<at::Tensor> all = model_.leaves();
    for (const auto& part : {model_.buffers(), stepper_.state()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }

  void write(std::int64_t done) const {
    if (checkpoint_.empty()) return;
    Checkpoint checkpoint{fingerprint_, done, loss_sum_, report_.losses, {}};
    for (const at::Tensor& t : state()) {
      const at::Tensor flat = t.detach().contiguous();
      checkpoint.tensors.emplace_back(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
    }
    save(checkpoint, checkpoint_);
  }

  /// The steps that a checkpoint has done already, its state restored; 0 without one.
  std::int64_t resumed() {
    if (!options_.resume || checkpoint_.empty() || !std::filesystem::exists(checkpoint_)) return 0;
    const std::vector<at::Tensor> tensors = state();
    std::vector<std::size_t> sizes;
    for (const at::Tensor& t : tensors) sizes.push_back(static_cast<std::size_t>(t.numel()));
    const Checkpoint checkpoint = load(checkpoint_, fingerprint_, sizes);
    const auto epochs = static_cast<std::int64_t>(checkpoint.losses.size());
    if (checkpoint.steps < 0 || checkpoint.steps > steps_ || checkpoint.steps / per_epoch_ != epochs) {
      fail_input("checkpoint {} has {} steps of {} and {} epochs", checkpoint_.string(), checkpoint.steps,
                 steps_, epochs);
    }
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      at::Tensor flat = tensors[i].view(-1);
      std::copy(checkpoint.tensors[i].begin(), checkpoint.tensors[i].end(), flat.data_ptr<float>());
    }
    report_.losses = checkpoint.losses;
    loss_sum_ = checkpoint.loss_sum;
    return checkpoint.steps;
  }

  Model& model_;
  const Samples& samples_;
  const TrainOptions& options_;
  std::string stage_;
  Stepper stepper_;
  std::size_t batch_;
  std::int64_t per_epoch_, steps_;
  std::uint64_t fingerprint_;
  std::filesystem::path checkpoint_;
  std::vector<std::uint32_t> order_;
  std::int64_t ordered_epoch_ = -1, first_ = 0;
  double loss_sum_ = 0;
  TrainReport report_;
  Clock::time_point start_;
};

}  // namespace

void check(const TrainOptions& o) {
  const auto within = [](const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high))
      fail_input("{} is {}; {} to {} are possible", name, value, low, high);
  };
  within("the number of epochs", o.epochs, 1, 100'000);
  within("the batch size", o.batch, 1, 65'536);
  within("the learning rate", o.rate, 1e-12, 100);
  within("the warm-up share", o.warm_up, 0, 1);
  within("the momentum", o.momentum, 0, 1);
  within("the weight decay", o.weight_decay, 0, 1);
  within("the largest gradient", o.max_gradient, 0, 1e9);
  within("the label smoothing", o.label_smoothing, 0, 0.99);
  within("the dropout", o.dropout, 0, 0.99);
  within("the largest shift", o.augmentation.shift, 0, 64);
  within("the number of threads", o.threads, 0, 1024);
}

TrainReport train(Model& model, const Samples& samples, const TrainOptions& options,
                  const std::string& stage) {
  check(options);
  if (samples.size() == 0) fail_input("training stage '{}' has no images", stage);
  at::set_num_threads(options.threads > 0 ? options.threads : static_cast<int>(thread_count()));
  return Trainer(model, samples, options, stage).run();
}

}  // namespace ap::train
