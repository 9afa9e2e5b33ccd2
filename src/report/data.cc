#include "report/data.h"

#include <algorithm>

#include "report/policy_style.h"

namespace ap::report {
namespace {

template <typename Item>
std::vector<const Item*> of_network(const std::vector<Item>& items, const std::string& network) {
  std::vector<const Item*> found;
  for (const Item& item : items) {
    if (item.network == network) found.push_back(&item);
  }
  std::ranges::stable_sort(found, {}, [](const Item* item) { return policy_rank(item->policy); });
  return found;
}

template <typename Item>
const Item* find(const std::vector<Item>& items, const std::string& network, const std::string& policy) {
  const auto at = std::ranges::find_if(
      items, [&](const Item& item) { return item.network == network && item.policy == policy; });
  return at == items.end() ? nullptr : &*at;
}

std::vector<std::string> layer_names(const PlanView& plan) {
  std::vector<std::string> names;
  for (const Layer* layer : plan.linears()) names.push_back(layer->name);
  return names;
}

}  // namespace

std::vector<const Layer*> PlanView::linears() const {
  std::vector<const Layer*> found;
  for (const Layer& layer : layers) {
    if (layer.linear()) found.push_back(&layer);
  }
  return found;
}

std::vector<std::string> networks_of(const Data& data) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const Row& row : data.rows) add(row.network);
  for (const PlanView& plan : data.plans) add(plan.network);
  return names;
}

std::vector<const Row*> rows_of(const Data& data, const std::string& network) {
  return of_network(data.rows, network);
}
std::vector<const PlanView*> plans_of(const Data& data, const std::string& network) {
  return of_network(data.plans, network);
}
const Row* row_of(const Data& data, const std::string& network, const std::string& policy) {
  return find(data.rows, network, policy);
}
const PlanView* plan_of(const Data& data, const std::string& network, const std::string& policy) {
  return find(data.plans, network, policy);
}

void match(Data& data) {
  const auto measured = [&](const PlanView& plan) {
    return row_of(data, plan.network, plan.policy) != nullptr;
  };
  for (PlanView& plan : data.plans) {
    if (measured(plan)) continue;
    const std::vector<std::string> names = layer_names(plan);
    for (const PlanView& other : data.plans) {
      if (!measured(other) || layer_names(other) != names) continue;
      for (analysis::NoiseCheck& check : data.noise) {
        if (check.network == plan.network) check.network = other.network;
      }
      plan.network = other.network;
      break;
    }
  }
  std::vector<PlanView> kept;
  for (PlanView& plan : data.plans) {
    if (!find(kept, plan.network, plan.policy)) {
      kept.push_back(std::move(plan));
    } else if (!row_of(data, plan.network, plan.policy)) {
      // A second plan of the same policy, such as one with another bound on the loss.
      plan.policy += " (" + plan.source + ")";
      kept.push_back(std::move(plan));
    }
  }
  data.plans = std::move(kept);
}

}  // namespace ap::report
