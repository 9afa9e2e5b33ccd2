#include "app/preparation_gate.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace ap::app {
namespace {

using namespace std::chrono_literals;

TEST(PreparationGate, IsOpenWhileNoInferenceIsLive) {
  PreparationGate gate;
  EXPECT_LT(gate.make_way(), PreparationGate::kLongestPause);
  { const PreparationGate::Live live(gate); }
  EXPECT_LT(gate.make_way(), PreparationGate::kLongestPause);
}

TEST(PreparationGate, WaitsForALiveInferenceButNotForEver) {
  PreparationGate gate;
  const PreparationGate::Live live(gate);
  EXPECT_GE(gate.make_way(), PreparationGate::kLongestPause);
}

TEST(PreparationGate, OpensWhenTheLastLiveInferenceEnds) {
  PreparationGate gate;
  auto first = std::make_unique<PreparationGate::Live>(gate),
       second = std::make_unique<PreparationGate::Live>(gate);
  std::thread ending([&] {
    first.reset();
    std::this_thread::sleep_for(20ms);
    second.reset();
  });
  const auto waited = gate.make_way();
  EXPECT_GE(waited, 19ms);
  ending.join();
  EXPECT_LT(gate.make_way(), PreparationGate::kLongestPause);
}

TEST(PreparationGate, AnInferenceThatTakesLongHoldsNobodyUp) {
  PreparationGate gate;
  const PreparationGate::Live slow(gate);
  std::this_thread::sleep_for(PreparationGate::kLive + 10ms);
  EXPECT_LT(gate.make_way(), PreparationGate::kLongestPause);
}

}  // namespace
}  // namespace ap::app
