#include "analysis/cost/work.h"

#include <algorithm>

namespace ap::cost {

Work& Work::operator+=(const Work& o) {
  client_s += o.client_s;
  server_s += o.server_s;
  bytes_up += o.bytes_up;
  bytes_down += o.bytes_down;
  messages_up += o.messages_up;
  messages_down += o.messages_down;
  one_way_messages += o.one_way_messages;
  return *this;
}

Work& Work::operator*=(double factor) {
  for (double* value :
       {&client_s, &server_s, &bytes_up, &bytes_down, &messages_up, &messages_down, &one_way_messages})
    *value *= factor;
  return *this;
}

Cpu cpu_of(const Work& w, const Profile& profile) {
  const NetworkCosts& net = profile.network;
  const double moving = (w.bytes_up * net.byte_up + w.bytes_down * net.byte_down +
                         (w.messages_up + w.messages_down) * net.message) /
                        2;
  return {w.client_s + moving, w.server_s + moving};
}

double wall_seconds(const Work& work, const Shape& shape, const Profile& profile, const Setting& setting) {
  const Cpu cpu = cpu_of(work, profile);
  const double cores = std::max(setting.cores, 1);
  const double a = shape.serial + (1 - shape.serial) / cores;
  const double latency = work.one_way_messages * setting.round_trip_s / 2;
  if (shape.flow == Flow::alternating) {
    return cpu.sum() * a + work.bytes() / setting.bytes_per_second + latency;
  }
  double seconds = std::max(cpu.client_s, cpu.server_s) * a;
  if (setting.same_machine) {
    seconds = std::max(seconds, cpu.sum() / (cores * shape.efficiency));
  } else {
    seconds = std::max(seconds, std::max(work.bytes_up, work.bytes_down) / setting.bytes_per_second);
  }
  return seconds + latency;
}

}  // namespace ap::cost
