#include "analysis/cost/session_cost.h"

#include "analysis/cost/silent_stream.h"
#include "base/error.h"
#include "mpc/ot/tree_check.h"

namespace ap::cost {
namespace {

PhaseCost phase_of(const Work& work, const Shape& shape, const Profile& profile, const Setting& setting) {
  const Cpu cpu = cpu_of(work, profile);
  return {wall_seconds(work, shape, profile, setting), cpu.client_s, cpu.server_s, work.bytes_up,
          work.bytes_down};
}

/// The transfers of one direction, as work of the client and the server.
Work stream_work(const SilentUse& use, bool client_sends, const Profile& profile) {
  const OtCosts& t = profile.ot;
  const auto small = static_cast<double>(use.small_rows), large = static_cast<double>(use.large_rows);
  const auto checks = static_cast<double>(use.checks);
  // A check's columns are as many again as its transfers.
  const auto seeds = static_cast<double>(use.base_columns + 2 * use.checks * mpc::TreeCheck::kCots);
  const double sender =
      small * t.small_row_sender + large * t.large_row_sender + seeds * profile.garbling.columns_bit_client;
  const double receiver = small * t.small_row_receiver + large * t.large_row_receiver +
                          seeds * profile.garbling.columns_bit_server;
  const auto sent = static_cast<double>(use.bytes_sent), received = static_cast<double>(use.bytes_received);
  const auto messages = static_cast<double>(use.small_messages + use.large_messages) + checks;
  const double columns = (use.base_columns > 0 ? 3 : 0) + 4 * checks;
  if (client_sends) return {sender, receiver, sent, received, messages, columns, 0};
  return {receiver, sender, received, sent, columns, messages, 0};
}

/// One direction's base OTs and trees: the extension's receiver is the sender of both.
Work base_work(bool client_extends_as_sender, const Profile& profile) {
  const auto point = static_cast<double>(kBaseSenderBytes), points = static_cast<double>(kBaseReceiverBytes);
  if (client_extends_as_sender) return {profile.base_receiver, profile.base_sender, points, point, 2, 2, 3};
  return {profile.base_sender, profile.base_receiver, point, points, 2, 2, 3};
}

struct Totals {
  Work offline, online;
};

}  // namespace

PhaseCost& PhaseCost::operator+=(const PhaseCost& o) {
  seconds += o.seconds;
  client_cpu_s += o.client_cpu_s;
  server_cpu_s += o.server_cpu_s;
  bytes_up += o.bytes_up;
  bytes_down += o.bytes_down;
  return *this;
}

Prediction predict(const SessionShape& shape, const Profile& profile, const Setting& setting,
                   std::uint64_t images) {
  AP_ASSERT(images >= 1);
  const auto count = static_cast<double>(images);
  Prediction result;
  const auto add = [&](PhaseCost& total, const PhaseCost& part) { total += part; };

  for (const LinearShape& layer : shape.linears) {
    const LayerWork work = linear_work(layer, profile);
    LayerPrediction p{phase_of(work.offline, linear_offline_shape(), profile, setting),
                      phase_of(work.online, {Flow::alternating, 0.1, 1}, profile, setting)};
    add(result.offline, p.offline);
    add(result.online, p.online);
    result.linears.push_back(p);
  }

  // Every inference makes the keys of coefficient packing and draws the client's shares.
  Work offline_rest = shape.offline_rest;
  for (const GroupShape& group : shape.groups) {
    const RingCosts ring = ring_costs(profile, group.n, group.primes, group.prime_bits);
    offline_rest.client_s += ring.key_client;
    offline_rest.server_s += ring.key_server;
  }
  Work session = shape.session_rest;
  // The client's first inference takes its memory from the system; the next ones find it in the process, as
  // the server does, which takes memory for one when it starts.
  const auto first_use = [&](double bytes) { session.client_s += bytes * profile.first_byte; };
  Work& batch_keys = shape.keep_batch_keys ? session : offline_rest;
  for (const BatchGroupShape& group : shape.batch_groups) {
    const SimdSeconds keys = simd_key_seconds(group.ring, group.elements, true, profile.simd);
    batch_keys.client_s += keys.client;
    batch_keys.server_s += keys.server;
    first_use(simd_key_memory(group.ring, group.elements));
  }
  offline_rest.client_s += static_cast<double>(shape.input_elements) * profile.share_element;
  Work online_rest = shape.online_rest;
  online_rest.client_s += static_cast<double>(shape.input_elements) * profile.share_element;
  online_rest.server_s += static_cast<double>(shape.input_elements) * profile.share_element;

  // Silent OTs are one stream for each direction: what a layer takes of it depends on all before it.
  SilentStream client_sends, server_sends;
  std::vector<OtWork> transfers(shape.activations.size());
  std::uint64_t expected_client = 0, expected_server = 0;
  bool any_garbling = false, any_ot = false;
  for (std::size_t i = 0; i < shape.activations.size(); ++i) {
    const ActivationShape& layer = shape.activations[i];
    if (layer.protocol == ActivationProtocol::gc) {
      any_garbling = true;
      transfers[i].work = garbling_work(layer.spec, profile);
      continue;
    }
    any_ot = true;
    transfers[i] = layer.protocol == ActivationProtocol::one_trip
                       ? one_trip_work(*layer.one_trip_plan, profile)
                   : layer.ot_plan ? ot_work(*layer.ot_plan, profile)
                                   : ot_work(layer.spec, profile);
    expected_client += transfers[i].client_cots;
    expected_server += transfers[i].server_cots;
  }
  for (const OtWork& layer : transfers) first_use(layer.work.client_memory);
  std::vector<Work> streamed(shape.activations.size());
  Work checks;
  for (std::uint64_t image = 0; image < images; ++image) {
    client_sends.expect(expected_client);
    server_sends.expect(expected_server);
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      const SilentUse before_client = client_sends.total(), before_server = server_sends.total();
      client_sends.draw(transfers[i].client_cots);
      server_sends.draw(transfers[i].server_cots);
      streamed[i] += stream_work(client_sends.total() - before_client, true, profile);
      streamed[i] += stream_work(server_sends.total() - before_server, false, profile);
    }
    const SilentUse before_client = client_sends.total(), before_server = server_sends.total();
    client_sends.finish();
    server_sends.finish();
    checks += stream_work(client_sends.total() - before_client, true, profile);
    checks += stream_work(server_sends.total() - before_server, false, profile);
  }
  checks *= 1 / count;
  if (any_ot) checks.one_way_messages = 2;
  offline_rest += checks;
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    const ActivationProtocol protocol = shape.activations[i].protocol;
    Work offline = streamed[i];
    offline *= 1 / count;
    offline += transfers[i].work.offline;
    LayerPrediction p{phase_of(offline, offline_shape(protocol), profile, setting),
                      phase_of(transfers[i].work.online, online_shape(protocol), profile, setting)};
    add(result.offline, p.offline);
    add(result.online, p.online);
    result.activations.push_back(p);
  }

  add(result.offline, phase_of(offline_rest, {Flow::alternating, 1, 1}, profile, setting));
  add(result.online, phase_of(online_rest, {Flow::alternating, 1, 1}, profile, setting));

  if (any_garbling) session += base_work(true, profile);
  if (any_ot) {
    session += base_work(true, profile);
    session += base_work(false, profile);
  }
  PhaseCost once = phase_of(session, {Flow::alternating, 1, 1}, profile, setting);
  PhaseCost share = once;
  for (double* value :
       {&share.seconds, &share.client_cpu_s, &share.server_cpu_s, &share.bytes_up, &share.bytes_down})
    *value /= count;
  add(result.offline, share);
  for (const SilentStream* stream : {&client_sends, &server_sends}) {
    SilentUse use = stream->total();
    if (use.base_columns == 0) continue;
    // The seeds and the small iterations, where a large set follows them.
    const double rows = static_cast<double>(use.small_rows);
    const bool seeds_only = use.large_rows > 0;
    Work first;
    const bool client = stream == &client_sends;
    SilentUse seeds;
    seeds.base_columns = use.base_columns;
    seeds.bytes_received = column_message_bytes(use.base_columns);
    if (seeds_only) {
      seeds.small_rows = use.small_rows;
      seeds.small_messages = use.small_messages;
      seeds.bytes_sent = static_cast<std::uint64_t>(rows / static_cast<double>(mpc::kSmallLpn.bin()) *
                                                    mpc::kSmallLpn.bin_bits * 16) +
                         use.small_messages * 10;
    }
    first += stream_work(seeds, client, profile);
    once += phase_of(first, offline_shape(ActivationProtocol::ot), profile, setting);
  }
  result.session = once;
  return result;
}

}  // namespace ap::cost
