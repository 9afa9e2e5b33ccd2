#include "analysis/cost/layer_cost.h"

#include <algorithm>

#include "analysis/cost/silent_stream.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/layer_plan.h"
#include "layers/activation/one_trip/one_trip_plan.h"
#include "layers/activation/ot/ot_plan.h"
#include "mpc/ot/column_check.h"
#include "mpc/ot/random_ot.h"
#include "net/channel/channel.h"

namespace ap::cost {
namespace {

using activation::ActivationSpec;

// Below this many pixels an output of the clear convolution is a dot product (layers/linear/plaintext/clear_conv.cc).
constexpr std::int64_t kFewPixels = 8;
// Hashes of one AND gate at the garbler; a row of the table of a clamp takes one.
constexpr double kHashesPerAnd = 4;
// Rows of the clamps that profiles are made with.
constexpr double kProfiledRows = 8;
// Products of 64-bit words take this much longer than those of 32 bits.
constexpr double kWideWords = 3;
// Copies of a share between its parts: masks, truncation, conversion to and from 32 bits, and sums.
constexpr double kCopiesOffline = 2, kCopiesOnline = 3;

double clear_seconds(const linear::Geometry& g, const ClearCosts& costs) {
  const auto products = static_cast<double>(g.out().size()) * static_cast<double>(g.fan_in());
  if (g.in.c == g.groups) return products * costs.depthwise;
  const std::int64_t pixels = std::int64_t{g.out().h} * g.out().w;
  return products * (pixels < kFewPixels ? costs.few_pixels : costs.many_pixels);
}

std::uint64_t batches(std::uint64_t total, std::uint64_t batch) { return (total + batch - 1) / batch; }

/// Extra work of clamps with more (or fewer) rows than those of the profile, in AND gates.
double row_gates(const mpc::Circuit& circuit, double elements) {
  if (!circuit.has_clamp()) return static_cast<double>(circuit.word_gates.size()) * elements / 2;
  const double rows = static_cast<double>(std::uint64_t{2} << circuit.clamp_gate.high_bits);
  return (rows - kProfiledRows) / kHashesPerAnd * elements;
}

}  // namespace

LayerWork linear_work(const LinearShape& layer, const Profile& profile) {
  const auto uploads = static_cast<double>(layer.counts.uploads);
  const auto replies = static_cast<double>(layer.counts.replies);
  const auto products = static_cast<double>(layer.counts.products);
  const auto inputs = static_cast<double>(layer.geometry.in.size());
  const auto outputs = static_cast<double>(layer.geometry.out().size());
  LayerWork work;
  if (const auto* simd = std::get_if<SimdShape>(&layer.ring)) {
    const SimdSeconds seconds = simd_seconds(layer.counts, simd->ring, simd->reply_level, profile.simd);
    work.offline.client_s = seconds.client + 2 * profile.loop + (inputs + outputs) * profile.share_element;
    work.offline.server_s = seconds.server + 2 * profile.loop;
  } else {
    const auto& group = std::get<GroupShape>(layer.ring);
    const RingCosts ring = ring_costs(profile, group.n, group.primes, group.prime_bits);
    work.offline.client_s = uploads * ring.upload_client + replies * ring.reply_client +
                            outputs * ring.reply_client_output + 2 * profile.loop +
                            (inputs + outputs) * profile.share_element;
    work.offline.server_s = uploads * ring.upload_server + products * ring.product +
                            replies * ring.reply_server + outputs * ring.reply_server_output +
                            2 * profile.loop;
  }
  work.offline.bytes_up = static_cast<double>(layer.upload_bytes + net::kHeaderBytes);
  work.offline.bytes_down = static_cast<double>(layer.reply_bytes + net::kHeaderBytes);
  work.offline.messages_up = work.offline.messages_down = 1;
  const double wide = layer.share_bits > 32 ? kWideWords : 1;
  work.online.server_s = wide * clear_seconds(layer.geometry, profile.clear) + profile.loop +
                         (inputs + outputs) * profile.share_element;
  return work;
}

LayerWork garbling_work(const ActivationSpec& spec, const Profile& profile) {
  const GarblingCosts& g = profile.garbling;
  const activation::LayerPlan plan = activation::plan_layer(spec);
  const auto inputs = static_cast<double>(spec.inputs), outputs = static_cast<double>(spec.outputs);
  const double bits = inputs * spec.share_bits();
  const double ands = static_cast<double>(activation::and_gates(spec)) +
                      row_gates(spec.joined() ? plan.last : plan.first, outputs);
  const std::uint64_t labels = batches(spec.inputs, plan.first_batch);
  const std::uint64_t tables = labels + (spec.joined() ? batches(spec.outputs, plan.window_batch) : 0);
  // The columns of a check's mask go ahead, the check itself follows.
  const std::uint64_t columns =
      2 + batches(spec.inputs * static_cast<std::uint64_t>(spec.share_bits()), mpc::kCotsPerMessage);
  LayerWork work;
  work.offline.server_s = bits * g.columns_bit_server;
  work.offline.client_s = bits * (g.columns_bit_client + g.garble_bit) + outputs * g.garble_element +
                          ands * g.garble_and + kCopiesOffline * outputs * profile.share_element;
  work.offline.messages_up = static_cast<double>(tables);
  work.offline.messages_down = static_cast<double>(columns);
  work.offline.bytes_up = static_cast<double>(activation::table_bytes(spec) + tables * net::kHeaderBytes);
  work.offline.bytes_down = static_cast<double>(
      activation::column_bytes(spec) + mpc::ColumnCheck::kMessageBytes + columns * net::kHeaderBytes);
  work.online.server_s = bits * (g.request_bit + g.evaluate_bit) + outputs * g.evaluate_element +
                         ands * g.evaluate_and + kCopiesOnline * inputs * profile.share_element;
  work.online.client_s = bits * g.answer_bit;
  work.online.messages_up = static_cast<double>(labels);
  work.online.messages_down = 1;
  work.online.bytes_up = static_cast<double>(activation::label_bytes(spec) + labels * net::kHeaderBytes);
  work.online.bytes_down = static_cast<double>(activation::choice_bytes(spec) + net::kHeaderBytes);
  work.online.one_way_messages = 2;
  work.client_memory = bits * sizeof(mpc::Block);
  return work;
}

OtWork ot_work(const ActivationSpec& spec, const Profile& profile) {
  return ot_work(activation::plan_ot_layer(spec), profile);
}

OtWork ot_work(const activation::OtPlan& plan, const Profile& profile) {
  const OtCosts& t = profile.ot;
  const activation::OtCost cost = activation::ot_cost(plan);
  OtWork result;
  result.client_cots = cost.client_cots;
  result.server_cots = cost.server_cots;
  Work& offline = result.work.offline;
  Work& online = result.work.online;
  plan.for_steps([&](const activation::OtStep& step) {
    const activation::ComparisonProgram& program = step.program;
    const auto padded = static_cast<double>(mpc::tiles_of(step.count) * mpc::kTile);
    const auto transferred =
        static_cast<double>(std::count_if(step.terms.begin(), step.terms.end(),
                                          [](const activation::BitTerm& term) { return term.width > 0; }));
    const double tables = padded * static_cast<double>(program.leaf_choice_bits());
    const double ands = padded * static_cast<double>(program.ands.size());
    offline.client_s += tables * t.table_sender + ands * (t.bit_sender + t.bit_receiver);
    offline.server_s += tables * t.table_receiver + ands * (t.bit_sender + t.bit_receiver);
    const double bits = padded * static_cast<double>(program.leaf_choice_bits() +
                                                     program.leaf_message_bits() + program.opened_bits());
    online.client_s += bits * t.online_bit_client;
    online.server_s += bits * t.online_bit_server;
    online.messages_up += 1 + program.levels;
    online.messages_down += 1 + program.levels;
    if (step.operand_bits == 0) return;
    offline.client_s += padded * ((1 + transferred) * t.word_sender + t.word_receiver);
    offline.server_s += padded * ((1 + transferred) * t.word_receiver + t.word_sender);
    const double words = padded * (2 + transferred);
    online.client_s += words * t.online_element_client;
    online.server_s += words * t.online_element_server;
    online.messages_up += 2;    // the choices of the flip, the client's words
    online.messages_down += 1;  // the server's words
  });
  if (plan.square) {
    // For each bit of the products a transfer of a word and its own message; online one word is opened.
    const auto words = static_cast<double>(activation::square_cost(*plan.square, plan.inputs).cots);
    offline.client_s += words * t.word_sender;
    offline.server_s += words * t.word_receiver;
    offline.messages_up += plan.square->product_bits();
    offline.bytes_up += static_cast<double>(cost.offline_bytes) + offline.messages_up * net::kHeaderBytes;
    const auto opened = static_cast<double>(plan.inputs);
    online.client_s += opened * t.online_element_client;
    online.server_s += opened * t.online_element_server;
    online.messages_down += 1;
  }
  if (plan.product) {
    const auto words = static_cast<double>(activation::product_cost(*plan.product, plan.inputs).cots);
    offline.client_s += words * t.word_sender;
    offline.server_s += words * t.word_receiver;
    offline.messages_up += 2 * plan.product->value_bits;
    offline.bytes_up += static_cast<double>(cost.offline_bytes) + offline.messages_up * net::kHeaderBytes;
    const auto opened = 2 * static_cast<double>(plan.inputs);
    online.client_s += opened * t.online_element_client;
    online.server_s += opened * t.online_element_server;
    online.messages_down += 1;
  }
  if (plan.table) {
    const activation::LookupStep& lookup = plan.table->lookup;
    const auto padded = static_cast<double>(mpc::tiles_of(lookup.count) * mpc::kTile);
    const auto terms =
        static_cast<double>(std::count_if(lookup.terms.begin(), lookup.terms.end(),
                                          [](const activation::BitTerm& term) { return term.width > 0; }));
    // A transfer is hashed for each block of the array.
    const double hashes = padded * lookup.index_bits *
                          static_cast<double>(mpc::lookup_blocks(lookup.index_bits, lookup.value_bits));
    const double bits =
        padded * (lookup.index_bits + 8.0 * static_cast<double>(activation::lookup_message_bytes(lookup)));
    offline.client_s += hashes * t.table_sender + padded * terms * t.word_sender;
    offline.server_s += hashes * t.table_receiver + padded * terms * t.word_receiver;
    online.client_s += bits * t.online_bit_client + padded * terms * t.online_element_client;
    online.server_s += bits * t.online_bit_server + padded * terms * t.online_element_server;
    online.messages_up += terms > 0 ? 2 : 1;
    online.messages_down += terms > 0 ? 2 : 1;
  }
  const double copies = static_cast<double>(plan.inputs) * profile.share_element;
  offline.client_s += copies + static_cast<double>(cost.client_preprocessing) * profile.fresh_byte;
  offline.server_s += static_cast<double>(cost.server_preprocessing) * profile.fresh_byte;
  online.server_s += kCopiesOnline * copies;
  online.client_s += kCopiesOnline * copies;
  online.messages_up += 1;
  online.bytes_up = static_cast<double>(cost.client_bytes) + online.messages_up * net::kHeaderBytes;
  online.bytes_down = static_cast<double>(cost.server_bytes) + online.messages_down * net::kHeaderBytes;
  online.one_way_messages = cost.one_way_messages;
  result.work.client_memory = static_cast<double>(cost.client_preprocessing);
  return result;
}

OtWork one_trip_work(const activation::OneTripPlan& plan, const Profile& profile) {
  const OtCosts& t = profile.ot;
  const activation::OtCost cost = activation::one_trip_cost(plan);
  OtWork result;
  result.client_cots = cost.client_cots;
  result.server_cots = cost.server_cots;
  Work& offline = result.work.offline;
  Work& online = result.work.online;
  plan.for_steps([&](const activation::OneTripStep& step) {
    const auto padded = static_cast<double>(mpc::tiles_of(step.count) * mpc::kTile);
    double rotations = 0;
    for (std::size_t i = 0; i < step.digits.size(); ++i) rotations += step.digits[i];
    if (step.clamped()) rotations += step.high_bits;
    const auto early = static_cast<double>(step.early_bits());
    // A rotation by one bit costs what a table's transfer does, a string what a word's does.
    offline.client_s += padded * (rotations * t.table_sender + early * t.word_sender);
    offline.server_s += padded * (rotations * t.table_receiver + early * t.word_receiver);
    online.client_s += padded * early * t.online_element_client;
    online.server_s += padded * early * t.online_element_server;
    offline.messages_up += 1;
    online.messages_up += 1;
    online.messages_down += 1;
    if (!step.has_word()) return;
    offline.client_s += padded * t.word_receiver;
    offline.server_s += padded * t.word_sender;
  });
  if (plan.repeated > 0) offline.messages_up += 1;
  const double copies = static_cast<double>(plan.inputs) * profile.share_element;
  offline.client_s += copies + static_cast<double>(cost.client_preprocessing) * profile.fresh_byte;
  offline.server_s += static_cast<double>(cost.server_preprocessing) * profile.fresh_byte;
  offline.bytes_up = static_cast<double>(cost.offline_bytes) + offline.messages_up * net::kHeaderBytes;
  online.client_s += kCopiesOnline * copies;
  online.server_s += kCopiesOnline * copies;
  online.bytes_up = static_cast<double>(cost.client_bytes) + online.messages_up * net::kHeaderBytes;
  online.bytes_down = static_cast<double>(cost.server_bytes) + online.messages_down * net::kHeaderBytes;
  online.one_way_messages = cost.one_way_messages;
  result.work.client_memory = static_cast<double>(cost.client_preprocessing);
  return result;
}

LayerWork activation_work(ActivationProtocol protocol, const ActivationSpec& spec, const Profile& profile,
                          ActivationPlans plans) {
  if (protocol == ActivationProtocol::gc) return garbling_work(spec, profile);
  OtWork result;
  if (protocol == ActivationProtocol::one_trip) {
    result = plans.one_trip ? one_trip_work(*plans.one_trip, profile)
                            : one_trip_work(activation::plan_one_trip_layer(spec), profile);
  } else {
    result = plans.ot ? ot_work(*plans.ot, profile) : ot_work(spec, profile);
  }
  // In a long session the large set gives all rows but those that seed its next iteration.
  const mpc::LpnParameters& set = mpc::kLargeLpn;
  const double rows = static_cast<double>(set.n()) / static_cast<double>(set.gain());
  const double bytes = rows * static_cast<double>(mpc::iteration_bytes(set)) / static_cast<double>(set.n());
  const auto client = static_cast<double>(result.client_cots),
             server = static_cast<double>(result.server_cots);
  const OtCosts& t = profile.ot;
  Work& offline = result.work.offline;
  offline.client_s += rows * (client * t.large_row_sender + server * t.large_row_receiver);
  offline.server_s += rows * (client * t.large_row_receiver + server * t.large_row_sender);
  offline.bytes_up += bytes * client;
  offline.bytes_down += bytes * server;
  return result.work;
}

Shape linear_offline_shape() { return {Flow::pipelined, 0.1, 0.9}; }
Shape offline_shape(ActivationProtocol protocol) {
  return protocol == ActivationProtocol::gc ? Shape{Flow::pipelined, 0.2, 0.87}
                                            : Shape{Flow::pipelined, 0.2, 0.85};
}
Shape online_shape(ActivationProtocol protocol) {
  return protocol == ActivationProtocol::gc ? Shape{Flow::alternating, 0.35, 1}
                                            : Shape{Flow::alternating, 0.6, 1};
}

double activation_seconds(ActivationProtocol protocol, const ActivationSpec& spec, const Profile& profile,
                          const Setting& setting, ActivationPlans plans) {
  const LayerWork work = activation_work(protocol, spec, profile, plans);
  return wall_seconds(work.offline, offline_shape(protocol), profile, setting) +
         wall_seconds(work.online, online_shape(protocol), profile, setting);
}

}  // namespace ap::cost
