// The policies of `compile`: ways from a quantised network to a plan, found by name.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/compile.h"
#include "nn/ir/quantised_network.h"
#include "plan/plan.h"

namespace ap::app {

/// What a policy plans for.
struct PolicyTask {
  const nn::QuantisedNetwork& network;                ///< with weights
  std::function<std::vector<std::int32_t>()> images;  ///< quantised calibration images, one after another
  std::span<const int> labels;                        ///< one an image, or none
  /// Predicted seconds per image of a plan, as compile reports them.
  std::function<double(const plan::Plan&)> latency;
};

struct Planned {
  plan::Plan plan;
  std::optional<double> simulated;  ///< top-1 with the errors of the plan, if the policy simulates
  std::optional<Searched> search;   ///< of policies that search
};

struct Policy {
  std::string name;
  std::string summary;  ///< what it does, in half a sentence
  std::vector<std::string>
      options;  ///< the options of `compile` that belong to some policies and to this one
  enum class Kind {
    direct,    ///< from the network alone, or with one budget for all layers
    baseline,  ///< the same, packed for SIMD, sharing modulo primes
    search,    ///< for the errors of each layer, over simulations
    learning,  ///< a search that needs the program autoprivacy-search
  };
  Kind kind = Kind::direct;
  std::function<Planned(const PolicyTask&, const CompileOptions&)> plan;

  bool takes(std::string_view option) const;
  bool searches() const { return kind == Kind::search || kind == Kind::learning; }
  /// Whether its plans share modulo primes, which garbled activations alone can read.
  bool shares_modulo_primes(const CompileOptions& options) const;
  /// Whether its plans allow errors, so that truncations need few exact bits.
  bool allows_errors(const CompileOptions& options) const;
};

class Policies {
 public:
  explicit Policies(std::vector<Policy> policies) : policies_(std::move(policies)) {}
  /// @throws Error(input) that names those there are, and a renamed policy by its new name.
  const Policy& find(const std::string& name) const;
  /// "exact, budget, ..." of all, or of those that take this option.
  std::string names(std::string_view option = {}) const;
  std::span<const Policy> all() const& { return policies_; }
  std::span<const Policy> all() && = delete;  // it would outlive the policies that it shows
  /// Why `policy` cannot be asked so: one sentence each.
  std::vector<std::string> refusals(const Policy& policy, const CompileOptions& options) const;

 private:
  std::vector<Policy> policies_;
};

/// All that this version has. Searches take their learning policies from CompileOptions::search.further, which
/// programs with the libraries for it fill.
Policies standard_policies();

}  // namespace ap::app
