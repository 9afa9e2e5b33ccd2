#include "planner/learned/replay.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ap::ddpg {
namespace {

Transition step(int i) {
  Transition t;
  t.state[0] = static_cast<float>(i);
  t.action = static_cast<float>(i) / 100;
  t.reward = static_cast<float>(-i);
  t.next[10] = static_cast<float>(i + 1);
  t.last = i % 3 == 2;
  return t;
}

std::vector<float> rewards(const Replay& replay) {
  std::vector<float> all;
  for (std::size_t i = 0; i < replay.size(); ++i) all.push_back(replay[i].reward);
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Replay, ForgetsTheOldestFirst) {
  Replay replay(4);
  for (int i = 0; i < 3; ++i) replay.push(step(i));
  EXPECT_EQ(replay.size(), 3U);
  for (int i = 3; i < 7; ++i) replay.push(step(i));
  EXPECT_EQ(rewards(replay), (std::vector<float>{-6, -5, -4, -3}));
}

TEST(Replay, SamplesEveryStep) {
  Replay replay(10);
  for (int i = 0; i < 10; ++i) replay.push(step(i));
  Random random(1);
  std::vector<int> seen(10);
  for (const std::size_t i : replay.sample(1000, random)) ++seen.at(i);
  for (const int count : seen) EXPECT_GT(count, 60);
}

TEST(Replay, ComesBackFromBytesAndContinuesInTheSamePlace) {
  Replay replay(4), other(4);
  for (int i = 0; i < 6; ++i) replay.push(step(i));
  ByteWriter out;
  replay.save(out);
  ByteReader in(out.bytes(), "test");
  other.load(in);
  in.expect_end();
  replay.push(step(6));
  other.push(step(6));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(replay[i].state, other[i].state);
    EXPECT_EQ(replay[i].next, other[i].next);
    EXPECT_EQ(replay[i].action, other[i].action);
    EXPECT_EQ(replay[i].reward, other[i].reward);
    EXPECT_EQ(replay[i].last, other[i].last);
  }
}

TEST(Replay, RefusesMoreStepsThanItHolds) {
  Replay large(10), small(4);
  for (int i = 0; i < 10; ++i) large.push(step(i));
  ByteWriter out;
  large.save(out);
  ByteReader in(out.bytes(), "test");
  EXPECT_THROW(small.load(in), Error);
}

}  // namespace
}  // namespace ap::ddpg
