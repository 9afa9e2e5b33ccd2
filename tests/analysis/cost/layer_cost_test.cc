// Counts of layers against brute force, and how prices follow them.
#include "analysis/cost/layer_cost.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/ot/ot_plan.h"

namespace ap::cost {
namespace {

/// A profile in which only the figures that a test sets cost anything.
Profile free_profile() {
  Profile p;
  p.rings = {RingCosts{.n = 1024, .primes = 1, .prime_bits = 30}};
  return p;
}

LinearShape linear_shape() {
  LinearShape shape;
  shape.geometry = {{3, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 4};
  shape.counts = {.uploads = 5, .replies = 7, .products = 35};
  shape.ring = GroupShape{1024, 1, 26};
  shape.upload_bytes = 1000;
  shape.reply_bytes = 2000;
  return shape;
}

activation::ActivationSpec spec(std::size_t elements, int guard = 4) {
  activation::ActivationSpec s;
  s.inputs = s.outputs = elements;
  s.sum_bits = 10;
  s.guard_bits = guard;
  s.clamp_bits = 8;
  s.out_bits = 18;
  return s;
}

TEST(LinearWork, EachOperationCountsAsOftenAsItRuns) {
  const LinearShape shape = linear_shape();
  const double outputs = 4 * 8 * 8;
  const auto client = [&](double RingCosts::*field) {
    Profile p = free_profile();
    p.rings[0].*field = 1;
    return linear_work(shape, p).offline.client_s;
  };
  const auto server = [&](double RingCosts::*field) {
    Profile p = free_profile();
    p.rings[0].*field = 1;
    return linear_work(shape, p).offline.server_s;
  };
  EXPECT_EQ(client(&RingCosts::upload_client), 5);
  EXPECT_EQ(client(&RingCosts::reply_client), 7);
  EXPECT_EQ(client(&RingCosts::reply_client_output), outputs);
  EXPECT_EQ(server(&RingCosts::upload_server), 5);
  EXPECT_EQ(server(&RingCosts::product), 35);
  EXPECT_EQ(server(&RingCosts::reply_server), 7);
  EXPECT_EQ(server(&RingCosts::reply_server_output), outputs);
  Profile p = free_profile();
  p.clear.many_pixels = 1;
  EXPECT_EQ(linear_work(shape, p).online.server_s, outputs * 27);
  EXPECT_EQ(linear_work(shape, p).offline.bytes(), 3000 + 2 * 10);
}

TEST(LinearWork, LayersPackedBySlots) {
  LinearShape shape = linear_shape();
  shape.counts = {.uploads = 2, .replies = 3, .products = 18, .hoisted_rotations = 4, .plain_rotations = 5};
  shape.ring = SimdShape{{8192, 2, 1, 2}, 1};
  SimdRing& ring = std::get<SimdShape>(shape.ring).ring;
  Profile p = free_profile();
  p.simd = {};
  for (double* unit : {&p.simd.transform_s, &p.simd.stream_s, &p.simd.move_s, &p.simd.encrypt_s,
                       &p.simd.load_s, &p.simd.slots_s}) {
    *unit = 0;
  }
  const SimdUnitCosts none = [&] {
    SimdUnitCosts costs = p.simd;
    costs.pass_s = 0;
    return costs;
  }();
  p.simd.pass_s = 1;
  // Decompositions 5 + 2 with 2 x 3 - 2 passes each, rotations 9 with 2 x 2 x 3 + 4 x 2, products, replies.
  EXPECT_EQ(linear_work(shape, p).offline.server_s, 7 * 4 + 9 * 20 + 18 * 2 * 2 + 3 * 2 * 6);
  // From memory come the keys of rotations, twice 2 x 3 polynomials each, and two primes of each weight.
  p.simd = none;
  p.simd.stream_s = 1;
  EXPECT_EQ(linear_work(shape, p).offline.server_s, 9 * 12 + 18 * 2);
  p.simd = none;
  p.simd.load_s = 1;
  EXPECT_EQ(linear_work(shape, p).offline.server_s, 2 * 2);
  EXPECT_EQ(simd_key_seconds(ring, 7, false, p.simd).server, 7 * 2 * 3);
  EXPECT_EQ(simd_key_memory(ring, 7), 7 * 2 * 2 * 3 * 8192 * 8);
  p.simd = none;
  p.simd.move_s = 1;
  EXPECT_EQ(linear_work(shape, p).offline.server_s, 9 * 10 * 2);
  p.simd = none;
  p.simd.encrypt_s = 1;
  EXPECT_EQ(linear_work(shape, p).offline.client_s, 2 * 2 + 3);
  EXPECT_EQ(simd_key_seconds(ring, 7, true, p.simd).client, 2 + 7 * 2 * 3);
  ring.n = 16384;
  EXPECT_EQ(linear_work(shape, p).offline.client_s, 2 * (2 * 2 + 3));
}

TEST(LinearWork, RingsThatWereNotProfiledAreScaled) {
  Profile p = free_profile();
  p.rings[0].product = 1e-6;
  EXPECT_DOUBLE_EQ(ring_costs(p, 1024, 1, 28).product, 1e-6);
  EXPECT_NEAR(ring_costs(p, 4096, 2, 28).product, 1e-6 * 8 * 12 / 10, 1e-12);
}

TEST(GarblingWork, GatesAndBits) {
  const activation::ActivationSpec s = spec(1000);
  Profile p = free_profile();
  p.garbling.columns_bit_server = 1;
  EXPECT_EQ(garbling_work(s, p).offline.server_s, 1000.0 * 14);
  p = free_profile();
  p.garbling.garble_and = 1;
  // g + m - 1 gates, and a table of eight rows, as in the profile.
  EXPECT_EQ(garbling_work(s, p).offline.client_s, 1000.0 * (4 + 8 - 1));
  const LayerWork work = garbling_work(s, p);
  EXPECT_GT(work.offline.bytes_up, static_cast<double>(activation::table_bytes(s)));
  EXPECT_EQ(work.online.one_way_messages, 2);
  EXPECT_EQ(work.client_memory, 1000.0 * 14 * 16);
}

TEST(OtWork, TransfersOfBothDirections) {
  const activation::ActivationSpec s = spec(1000);
  const activation::OtCost cost = activation::ot_cost(s);
  Profile p = free_profile();
  p.ot.table_sender = p.ot.bit_sender = p.ot.word_sender = 1;
  const OtWork work = ot_work(s, p);
  EXPECT_EQ(work.work.offline.client_s, static_cast<double>(cost.client_cots));
  EXPECT_EQ(work.work.offline.server_s, static_cast<double>(cost.server_cots));
  p = free_profile();
  p.ot.table_receiver = p.ot.bit_receiver = p.ot.word_receiver = 1;
  EXPECT_EQ(ot_work(s, p).work.offline.client_s, static_cast<double>(cost.server_cots));
  EXPECT_EQ(ot_work(s, p).work.offline.server_s, static_cast<double>(cost.client_cots));
}

TEST(OtWork, SquaresAreTransfersOfWords) {
  activation::ActivationSpec s = spec(1000);
  s.square = activation::SquareSpec{};
  s.square->value_bits = s.sum_bits + s.guard_bits;
  s.square->linear = 3;
  s.square->square = 1;
  s.square->argument_bits = activation::square_argument_bits(s.square->value_bits, 3, 1);
  const activation::OtCost cost = activation::ot_cost(s);
  Profile p = free_profile();
  p.ot.table_sender = p.ot.bit_sender = p.ot.word_sender = 1;
  const Work offline = ot_work(s, p).work.offline;
  EXPECT_EQ(offline.client_s, static_cast<double>(cost.client_cots));
  EXPECT_EQ(offline.messages_up, s.square->product_bits());
  EXPECT_EQ(offline.bytes_up, static_cast<double>(cost.offline_bytes) + 10 * offline.messages_up);
}

TEST(ActivationWork, GrowsWithElementsAndBits) {
  const Profile p = typical_profile();
  const Setting setting;
  for (const ActivationProtocol protocol :
       {ActivationProtocol::gc, ActivationProtocol::ot, ActivationProtocol::one_trip}) {
    double last = 0;
    for (const std::size_t elements : {128U, 1024U, 4096U, 65536U}) {
      const double seconds = activation_seconds(protocol, spec(elements), p, setting);
      EXPECT_GT(seconds, last);
      last = seconds;
    }
    EXPECT_LT(activation_seconds(protocol, spec(4096, 2), p, setting),
              activation_seconds(protocol, spec(4096, 12), p, setting));
  }
}

TEST(ActivationWork, SlowLinksFavourTransfersLongOnesGarbling) {
  const Profile p = typical_profile();
  const activation::ActivationSpec s = spec(16384);
  const Setting narrow{2, false, 1e6, 1e-3}, distant{2, false, 1e10, 1.0};
  EXPECT_LT(activation_seconds(ActivationProtocol::ot, s, p, narrow),
            activation_seconds(ActivationProtocol::gc, s, p, narrow));
  EXPECT_GT(activation_seconds(ActivationProtocol::ot, s, p, distant),
            activation_seconds(ActivationProtocol::gc, s, p, distant));
  // In one trip it is as few messages as by garbling, and far fewer bytes.
  EXPECT_LT(activation_seconds(ActivationProtocol::one_trip, s, p, distant),
            activation_seconds(ActivationProtocol::ot, s, p, distant));
  EXPECT_LT(activation_seconds(ActivationProtocol::one_trip, s, p, narrow),
            activation_seconds(ActivationProtocol::gc, s, p, narrow));
}

TEST(WallSeconds, FollowsItsFormulas) {
  Profile p = free_profile();
  Work work{.client_s = 4, .server_s = 2, .bytes_up = 1000, .bytes_down = 500, .one_way_messages = 2};
  const Setting two{2, false, 100, 1};
  // Alternating: all work and all bytes after each other, one round trip.
  EXPECT_DOUBLE_EQ(wall_seconds(work, {Flow::alternating, 1, 1}, p, two), 6 + 15 + 1);
  EXPECT_DOUBLE_EQ(wall_seconds(work, {Flow::alternating, 0, 1}, p, two), 3 + 15 + 1);
  // Pipelined: the slowest of both parties and the link.
  EXPECT_DOUBLE_EQ(wall_seconds(work, {Flow::pipelined, 0, 1}, p, two), 10 + 1);
  EXPECT_DOUBLE_EQ(wall_seconds(work, {Flow::pipelined, 1, 1}, p, Setting{2, false, 1e9, 1}), 4 + 1);
  // One machine: the cores are shared.
  EXPECT_DOUBLE_EQ(wall_seconds(work, {Flow::pipelined, 0, 1}, p, Setting::local(2, 1)), 3 + 1);
  p.network.byte_up = 2e-3;
  EXPECT_DOUBLE_EQ(cpu_of(work, p).client_s, 5);
}

TEST(UnitCosts, ComeFromTheProfile) {
  Profile p = free_profile();
  p.rings[0] = {1024, 1, 30, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const linear::UnitCosts units = unit_costs(p, 1024, 25.5, 1, 3, 4);
  EXPECT_EQ(units.upload_client, 3);
  EXPECT_EQ(units.upload_server, 4);
  EXPECT_EQ(units.product, 5);
  EXPECT_EQ(units.reply_server, 6);
  EXPECT_EQ(units.reply_client, 8);
  EXPECT_EQ(units.output_server, 7);
  EXPECT_EQ(units.output_client, 9);
}

}  // namespace
}  // namespace ap::cost
