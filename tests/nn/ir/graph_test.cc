#include "nn/ir/graph.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

Graph valid_graph() {
  Graph g;
  g.name = "g";
  g.nodes.push_back({"in", InputOp{}, {}, {2, 4, 4}});
  g.nodes.push_back({"conv",
                     ConvOp{{3, 3, 1, 1, {1, 1, 1, 1}}, 2, std::vector<float>(36), std::vector<float>(4)},
                     {0},
                     {4, 4, 4}});
  g.nodes.push_back({"affine", AffineOp{std::vector<float>(4), std::vector<float>(4)}, {1}, {4, 4, 4}});
  g.nodes.push_back({"add", AddOp{}, {1, 2}, {4, 4, 4}});
  g.nodes.push_back({"pool", MaxPoolOp{{2, 2, 2, 2, {}}}, {3}, {4, 2, 2}});
  g.nodes.push_back({"cat", ConcatOp{}, {4, 4}, {8, 2, 2}});
  g.nodes.push_back({"move", GatherOp{{0, -1, 31}}, {5}, {3, 1, 1}});
  g.nodes.push_back({"fc", FullyConnectedOp{std::vector<float>(6), std::vector<float>(2)}, {6}, {2, 1, 1}});
  return g;
}

TEST(Graph, ValidGraphPasses) {
  EXPECT_NO_THROW(validate(valid_graph()));
  EXPECT_EQ(op_names(valid_graph()), (std::vector<std::string>{"input", "conv", "affine", "add", "max_pool",
                                                               "concat", "gather", "fully_connected"}));
  EXPECT_EQ(to_string(Shape{1, 2, 3}), "1x2x3");
}

TEST(Graph, FormOfTheInputFitsItsShape) {
  Graph g = valid_graph();
  for (const InputForm& good : {InputForm{}, {{4, 4, 2}, true}, {{2, 16}, false}, {{32}, false}}) {
    g.input_form = good;
    EXPECT_NO_THROW(validate(g));
  }
  for (const InputForm& bad : {InputForm{{4, 4, 3}, false},
                               {{2, 4, 4}, true},
                               {{}, true},
                               {{-4, -8}, false},
                               {{32, 1, 1, 1, 1, 1, 1, 1, 1}, false}}) {
    g.input_form = bad;
    expect_contains(error_of([&] { validate(g); }), {"network g", "form"});
  }
}

TEST(Graph, EachBrokenConventionIsNamed) {
  const auto broken = [](auto change, const std::vector<std::string>& parts) {
    Graph g = valid_graph();
    change(g);
    expect_contains(error_of([&] { validate(g); }), parts);
  };
  broken([](Graph& g) { g.nodes.resize(1); }, {"1 nodes"});
  broken([](Graph& g) { g.nodes[0].op = AddOp{}; }, {"node 0 is not the input"});
  broken([](Graph& g) { g.nodes[2].op = InputOp{}; }, {"affine", "second input"});
  broken([](Graph& g) { g.nodes[2].name = "conv"; }, {"repeated name"});
  broken([](Graph& g) { g.nodes[1].inputs = {1}; }, {"conv", "not an earlier one"});
  broken([](Graph& g) { g.nodes[1].inputs = {-1}; }, {"conv", "not an earlier one"});
  broken([](Graph& g) { g.nodes[1].inputs = {0, 0}; }, {"conv", "2 inputs"});
  broken([](Graph& g) { g.nodes[1].shape.h = 5; }, {"conv", "4x5x4"});
  broken([](Graph& g) { g.nodes[1].shape.c = 0; }, {"conv", "positive"});
  broken([](Graph& g) { g.nodes[0].shape = {1 << 20, 1 << 20, 1 << 20}; }, {"in", "at most"});
  broken([](Graph& g) { std::get<ConvOp>(g.nodes[1].op).groups = 3; }, {"conv", "3 groups"});
  broken([](Graph& g) { std::get<ConvOp>(g.nodes[1].op).weights.pop_back(); }, {"conv", "35", "36"});
  broken([](Graph& g) { std::get<ConvOp>(g.nodes[1].op).window.stride_h = 0; }, {"conv", "stride of 0"});
  broken([](Graph& g) { std::get<ConvOp>(g.nodes[1].op).window.pad.top = -1; }, {"conv", "padding of -1"});
  broken([](Graph& g) { std::get<ConvOp>(g.nodes[1].op).bias[1] = std::numeric_limits<float>::quiet_NaN(); },
         {"conv", "finite"});
  broken([](Graph& g) { g.nodes[4].op = MaxPoolOp{{9, 9, 1, 1, {}}}; }, {"pool", "larger than"});
  broken(
      [](Graph& g) {
        g.nodes[4].op = MaxPoolOp{{2, 2, 2, 2, {2, 0, 0, 0}}};
      },
      {"pool", "wholly in the padding"});
  broken([](Graph& g) { g.nodes[5].inputs = {4}; }, {"cat", "8 channels, not 4"});
  broken([](Graph& g) { std::get<GatherOp>(g.nodes[6].op).index[0] = 32; }, {"move", "element 32 of 32"});
  broken([](Graph& g) { std::get<GatherOp>(g.nodes[6].op).index[0] = -2; }, {"move", "element -2"});
  broken(
      [](Graph& g) {
        g.nodes[7].op = ClipOp{1, 0};
        g.nodes[7].shape = {3, 1, 1};
      },
      {"fc", "empty"});
  broken([](Graph& g) { g.nodes[3].inputs = {1, 1}; }, {"nothing reads node affine"});
}

}  // namespace
}  // namespace ap::nn
