#include "he_only/plan/program.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "he/circuits/bootstrap_parameters.h"
#include "he/circuits/step_plan.h"
#include "he/ckks/evaluate.h"

namespace ap::he_only {
namespace {

using ckks::Scale;

// The context of the first `data` primes of the chain, with its own special primes.
rlwe::Parameters prefix(const rlwe::Parameters& chain, std::size_t data, std::size_t special) {
  rlwe::Parameters p;
  p.n = chain.n;
  p.data_primes.assign(chain.data_primes.begin(),
                       chain.data_primes.begin() + static_cast<std::ptrdiff_t>(data));
  special = std::min({special, data, chain.special_primes.size()});
  p.special_primes.assign(chain.special_primes.begin(),
                          chain.special_primes.begin() + static_cast<std::ptrdiff_t>(special));
  p.digits = static_cast<std::uint32_t>((data + special - 1) / special);
  return p;
}

rlwe::Parameters chain_of(const Ring& ring, std::size_t levels) {
  rlwe::Parameters p;
  p.n = ring.n;
  std::vector<std::uint64_t> taken;
  const auto take = [&](int bits, std::size_t count) {
    const std::vector<std::uint64_t> found = rlwe::primes(bits, ring.n, count, taken);
    taken.insert(taken.end(), found.begin(), found.end());
    return found;
  };
  p.special_primes = take(ring.special_bits, ring.special);
  p.data_primes = take(ring.base_bits, 1);
  const std::vector<std::uint64_t> more = take(ring.scale_bits, levels - 1);
  p.data_primes.insert(p.data_primes.end(), more.begin(), more.end());
  p.digits = static_cast<std::uint32_t>((levels + ring.special - 1) / std::max<std::size_t>(1, ring.special));
  return p;
}

std::set<std::uint32_t> elements_of(const std::vector<ShapedTerm>& terms, const ShapedNetwork& shaped,
                                    const Layout& out, const rlwe::Parameters& parameters,
                                    std::size_t level) {
  std::set<std::uint32_t> elements;
  const rlwe::Parameters& p = parameters;
  const std::uint64_t order = 2 * std::uint64_t{p.n};
  const auto add = [&](std::size_t step) {
    if (step == 0) return;
    std::uint64_t element = 1, base = 5;
    for (std::size_t e = step % (p.n / 2); e > 0; e >>= 1, base = base * base % order) {
      if (e & 1) element = element * base % order;
    }
    elements.insert(static_cast<std::uint32_t>(element));
  };
  for (const ShapedTerm& term : terms) {
    const std::size_t size = std::max(shaped.layouts[term.step].period, out.period);
    for (const auto& row : term.diagonals) {
      for (const auto& diagonals : row) {
        if (diagonals.empty()) continue;
        const circuits::StepPlan plan = circuits::plan_steps(diagonals, size, p, level);
        std::ranges::for_each(plan.baby, add);
        std::ranges::for_each(plan.giant, add);
      }
    }
    std::ranges::for_each(term.folds, add);
  }
  return elements;
}

// What slots stand for, from the polynomials and the largest values.
std::vector<View> views_of(const Structure& structure, const Choices& choices) {
  const std::vector<Step>& steps = structure.steps();
  std::vector<View> views(steps.size());
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (steps[s].kind != Step::Kind::activation) {
      views[s].factor = choices.largest[s];
      continue;
    }
    View& before = views[static_cast<std::size_t>(steps[s].argument)];
    const Polynomial& polynomial = choices.polynomials[s].value();
    if (const auto* quadratic = std::get_if<Quadratic>(&polynomial)) {
      before.shift = -quadratic->c1 / (2 * quadratic->c2);
      views[s] = {quadratic->c2 * before.factor * before.factor,
                  quadratic->c0 - quadratic->c1 * quadratic->c1 / (4 * quadratic->c2)};
    } else if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&polynomial)) {
      before = {(series->high - series->low) / 2, (series->high + series->low) / 2};
      views[s].factor = choices.largest[s];
    } else {
      before.factor = views[s].factor = std::get<CompositeRelu>(polynomial).range;
    }
  }
  return views;
}

void check(const Structure& structure, const Choices& choices) {
  const std::vector<Step>& steps = structure.steps();
  AP_ASSERT(choices.largest.size() == steps.size() && choices.polynomials.size() == steps.size());
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (!(choices.largest[s] > 0) || !std::isfinite(choices.largest[s])) {
      fail_input("layer {} has values up to {}, which is no range", structure.node(s).name,
                 choices.largest[s]);
    }
    if ((steps[s].kind == Step::Kind::activation) != choices.polynomials[s].has_value()) {
      fail_input("layer {} is an activation without a polynomial, or has one and is none",
                 structure.node(s).name);
    }
  }
}

// Of a network whose activations are bootstrapped, each right before: levels between two of them.
void set_bootstrapped_levels(const Structure& structure, const Choices& choices,
                             const circuits::BootstrapParameters& set, Program& program) {
  const std::vector<Step>& steps = structure.steps();
  std::vector<std::size_t> needed(steps.size(), set.input_level());
  for (std::size_t s = steps.size(); s-- > 0;) {
    ProgramStep& step = program.steps[s];
    step.level = needed[s];
    if (steps[s].kind == Step::Kind::activation) {
      const auto depth = static_cast<std::size_t>(he_only::depth(*choices.polynomials[s]));
      step.from = step.level + depth;
      if (step.from > set.output_level()) {
        fail_input(
            "layer {} takes {} levels and what follows it {}, but a bootstrap by {} leaves {}: choose a polynomial of fewer "
            "levels",
            structure.node(s).name, depth, step.level - set.input_level(), set.name(), set.free_levels());
      }
      program.steps[static_cast<std::size_t>(steps[s].argument)].bootstrapped = true;
      ++program.bootstraps;
      continue;
    }
    step.from = step.level + 1;
    for (const std::size_t r : structure.reads(s)) needed[r] = std::max(needed[r], step.from);
  }
}

}  // namespace

double Program::log2_qp() const {
  double most = 0;
  for (const rlwe::Parameters& p : contexts) most = std::max(most, p.log2_qp());
  return most;
}

std::vector<std::size_t> levels_of(const Structure& structure,
                                   const std::vector<std::optional<Polynomial>>& polynomials) {
  const std::vector<Step>& steps = structure.steps();
  std::vector<std::size_t> needed(steps.size(), 1);
  for (std::size_t s = steps.size(); s-- > 1;) {
    const int depth = steps[s].kind == Step::Kind::activation ? he_only::depth(polynomials[s].value()) : 1;
    for (const std::size_t r : structure.reads(s))
      needed[r] = std::max(needed[r], needed[s] + static_cast<std::size_t>(depth));
  }
  return needed;
}

Program make_program(const Structure& structure, const ShapedNetwork& shaped, const Choices& choices) {
  check(structure, choices);
  const std::vector<Step>& steps = structure.steps();
  Program program;
  program.steps.resize(steps.size());
  rlwe::Parameters chain;
  Scale scale;
  if (choices.ring.bootstrap.empty()) {
    const std::vector<std::size_t> levels = levels_of(structure, choices.polynomials);
    chain = chain_of(choices.ring, levels[0]);
    scale = Scale::power_of_two(choices.ring.scale_bits);
    for (std::size_t s = 0; s < steps.size(); ++s) {
      ProgramStep& step = program.steps[s];
      step.level = levels[s];
      const bool activation = steps[s].kind == Step::Kind::activation;
      step.from = step.level + static_cast<std::size_t>(activation ? depth(*choices.polynomials[s]) : 1);
    }
  } else {
    const circuits::BootstrapParameters set(choices.ring.bootstrap, choices.ring.bootstrap_slots);
    chain = set.chain();
    scale = set.scale();
    set_bootstrapped_levels(structure, choices, set, program);
  }
  program.steps[0].from = program.steps[0].level;

  // Keys of fewer primes are smaller and faster: a context for each level that a linear step runs at, and of a bootstrapped
  // network the chain for what follows a bootstrap.
  std::set<std::size_t, std::greater<>> sizes;
  for (std::size_t s = 1; s < steps.size(); ++s) {
    if (steps[s].kind == Step::Kind::linear) sizes.insert(program.steps[s].from);
  }
  sizes.insert(program.steps[0].level);
  if (!choices.ring.bootstrap.empty()) program.contexts.push_back(chain);
  for (const std::size_t size : sizes) program.contexts.push_back(prefix(chain, size, choices.ring.special));
  program.keys.resize(program.contexts.size());
  const auto smallest_with = [&](std::size_t level) {
    std::size_t found = 0;
    for (std::size_t c = 0; c < program.contexts.size(); ++c) {
      if (program.contexts[c].data_primes.size() >= level) found = c;
    }
    return found;
  };
  program.input_context = smallest_with(program.steps[0].level);

  const std::vector<View> views = views_of(structure, choices);
  for (std::size_t s = 0; s < steps.size(); ++s) {
    ProgramStep& step = program.steps[s];
    step.view = views[s];
    step.scale = scale;
    step.context = smallest_with(step.from);
    const rlwe::Parameters& p = program.contexts[step.context];
    if (steps[s].kind == Step::Kind::activation) {
      program.keys[step.context].relinearisation = true;
      if (std::holds_alternative<Quadratic>(*choices.polynomials[s])) {
        step.scale = scale * scale / Scale::integer(p.data_primes[step.from - 1]);
      }
    } else if (steps[s].kind == Step::Kind::linear) {
      std::set<std::uint32_t> elements =
          elements_of(shaped.terms[s], shaped, shaped.layouts[s], p, step.from);
      std::vector<std::uint32_t>& all = program.keys[step.context].elements;
      elements.insert(all.begin(), all.end());
      all.assign(elements.begin(), elements.end());
    }
  }
  return program;
}

KeyBytes key_bytes(const Program& program) {
  KeyBytes bytes;
  for (std::size_t c = program.bootstraps > 0 ? 1 : 0; c < program.contexts.size(); ++c) {
    const rlwe::Parameters& p = program.contexts[c];
    const std::uint64_t keys = program.keys[c].elements.size() + (program.keys[c].relinearisation ? 1 : 0);
    double bits = 0;
    for (const auto* primes : {&p.data_primes, &p.special_primes}) {
      for (const std::uint64_t q : *primes) bits += std::ceil(std::log2(static_cast<double>(q)));
    }
    const std::uint64_t digits = p.digits, limbs = p.data_primes.size() + p.special_primes.size();
    bytes.wire += keys * (32 + digits * p.n / 8 * static_cast<std::uint64_t>(bits));
    bytes.memory += keys * digits * limbs * p.n * 16;
  }
  return bytes;
}

}  // namespace ap::he_only
