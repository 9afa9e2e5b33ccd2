#include "train/trainer.h"

#include <fstream>

#include "tests/base/temporary_directory.h"
#include "tests/train/support.h"
#include "train/architectures.h"
#include "train/optimiser.h"

namespace ap::train {
namespace {

TrainOptions quick() {
  TrainOptions o;
  o.epochs = 6;
  o.batch = 20;
  o.rate = 0.05;
  o.threads = 1;
  return o;
}

std::vector<float> weights_of(const nn::Graph& graph) {
  std::vector<float> all;
  for (const nn::Node& node : graph.nodes) {
    if (const auto* conv = std::get_if<nn::ConvOp>(&node.op))
      all.insert(all.end(), conv->weights.begin(), conv->weights.end());
    if (const auto* fc = std::get_if<nn::FullyConnectedOp>(&node.op))
      all.insert(all.end(), fc->weights.begin(), fc->weights.end());
  }
  return all;
}

TEST(Trainer, LearnsStripesWithEitherOptimiser) {
  const Samples train_set = stripes(120, 1), test_set = stripes(60, 2);
  for (const Optimiser kind : {Optimiser::sgd, Optimiser::adam}) {
    TrainOptions o = quick();
    o.optimiser = kind;
    if (kind == Optimiser::adam) o.rate = 0.01;
    const FloatResult result = train_float(small_graph(), train_set, o);
    EXPECT_EQ(result.report.losses.size(), 6U);
    EXPECT_LT(result.report.losses.back(), 0.5 * result.report.losses.front());
    EXPECT_GT(float_accuracy(result.graph, test_set), 0.9);
  }
}

TEST(Trainer, TheSameSeedGivesTheSameWeights) {
  TrainOptions o = quick();
  o.epochs = 2;
  o.dropout = 0.2;
  o.augmentation = {true, 1};
  const auto train_once = [&] { return weights_of(train_float(small_graph(), stripes(), o).graph); };
  const auto first = train_once();
  EXPECT_EQ(first, train_once());
  o.seed = 2;
  EXPECT_NE(first, train_once());
}

TEST(Trainer, StoppingAndResumingChangesNothing) {
  const TemporaryDirectory folder;
  for (const Optimiser kind : {Optimiser::sgd, Optimiser::adam}) {
    TrainOptions o = quick();
    o.optimiser = kind;
    o.epochs = 3;
    o.dropout = 0.1;
    o.augmentation.mirror = true;
    const FloatResult whole = train_float(small_graph(), stripes(), o);
    o.checkpoint = folder.path() / (kind == Optimiser::sgd ? "sgd" : "adam");
    o.resume = true;
    FloatResult last;
    int runs = 0;
    do {
      int steps = 0;
      o.stop = [&] { return steps++ == 4; };
      last = train_float(small_graph(), stripes(), o);
    } while (last.report.stopped && ++runs < 20);
    EXPECT_GE(runs, 3);
    EXPECT_EQ(weights_of(last.graph), weights_of(whole.graph));
    EXPECT_EQ(last.report.losses, whole.report.losses);
  }
}

TEST(Trainer, RefusesTheCheckpointOfAnotherTraining) {
  const TemporaryDirectory folder;
  TrainOptions o = quick();
  o.epochs = 1;
  o.checkpoint = folder.path() / "a";
  o.resume = true;
  train_float(small_graph(), stripes(), o);
  o.rate *= 2;
  EXPECT_NE(error_of([&] { train_float(small_graph(), stripes(), o); }).find("other options"),
            std::string::npos);
  o.rate /= 2;
  const std::filesystem::path file = o.checkpoint.string() + ".float";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 3);
  EXPECT_THROW(train_float(small_graph(), stripes(), o), Error);
  std::ofstream(file) << "nonsense nonsense nonsense";
  EXPECT_NE(error_of([&] { train_float(small_graph(), stripes(), o); }).find("not a checkpoint"),
            std::string::npos);
}

TEST(Trainer, SaysWhatIsWrong) {
  TrainOptions o = quick();
  o.batch = 0;
  EXPECT_NE(error_of([&] { train_float(small_graph(), stripes(), o); }).find("batch size is 0"),
            std::string::npos);
  o = quick();
  o.rate = 100;
  FloatOptions squares;
  squares.replaced.resize(6);
  squares.replaced[2] = squares.replaced[4] = nn::QuadraticOp{0, 0, 1};
  EXPECT_THROW(train_float(small_graph(), stripes(), o, squares), Diverged);
  squares.replaced[3] = squares.replaced[2];
  EXPECT_NE(error_of([&] { train_float(small_graph(), stripes(), o, squares); }).find("conv2"),
            std::string::npos);
  nn::Graph two_classes = small_graph();
  two_classes.nodes[5] = {
      "fc", nn::FullyConnectedOp{random_floats(72, 1), random_floats(2, 1)}, {4}, {2, 1, 1}};
  EXPECT_NE(error_of([&] { train_float(two_classes, stripes(), quick()); }).find("2 classes"),
            std::string::npos);
}

TEST(Trainer, ArchitecturesLearnWithBatchNormalisationAndFoldIt) {
  FloatOptions normalised;
  normalised.batch_normalisation = true;
  for (const std::string& name : architecture_names()) {
    nn::Dataset wide = striped_images(48, 3);
    wide.shape = {1, 9, 8};  // the same pixels, seen otherwise
    const Samples samples = all_of(wide, normalization());
    const nn::Graph graph = make_architecture(name, wide.shape, 3, 1);
    TrainOptions o = quick();
    o.epochs = 8;
    const FloatResult result = train_float(graph, samples, o, normalised);
    EXPECT_GT(float_accuracy(result.graph, samples), 0.6) << name;
    for (const nn::Node& node : result.graph.nodes)
      EXPECT_FALSE(std::holds_alternative<nn::AffineOp>(node.op));
  }
  EXPECT_NE(error_of([] {
              make_architecture("resnet", {3, 32, 32}, 10, 1);
            }).find("small-cnn"),
            std::string::npos);
}

TEST(Stepper, TakesTheStepsOfTheTextbooks) {
  TrainOptions o;
  o.momentum = 0.5;
  const auto run = [&](int steps) {
    const at::Tensor x = at::full({1}, 1.0).requires_grad_(true);
    Stepper stepper({x}, o);
    for (int i = 0; i < steps; ++i) {
      stepper.zero_gradients();
      (2 * x).sum().backward();
      stepper.step(0.1, i);
    }
    return x.item<double>();
  };
  // Nesterov: velocities 2 and 3, steps 0.1 (2 + 0.5 v).
  EXPECT_NEAR(run(1), 1 - 0.3, 1e-6);
  EXPECT_NEAR(run(2), 1 - 0.3 - 0.35, 1e-6);
  o.optimiser = Optimiser::adam;  // a constant gradient moves by the rate itself
  EXPECT_NEAR(run(3), 1 - 0.3, 1e-5);
  o.optimiser = Optimiser::sgd;
  o.max_gradient = 0.5;
  EXPECT_NEAR(run(1), 1 - 0.1 * 0.75, 1e-6);
}

TEST(Stepper, TheRateWarmsUpAndFallsToZero) {
  TrainOptions o;
  o.rate = 2;
  o.warm_up = 0.1;
  EXPECT_LT(learning_rate(o, 0, 100), 0.2);
  EXPECT_NEAR(learning_rate(o, 10, 100), 2, 1e-9);
  EXPECT_NEAR(learning_rate(o, 55, 100), 1, 1e-9);
  EXPECT_LT(learning_rate(o, 99, 100), 0.001);
}

}  // namespace
}  // namespace ap::train
