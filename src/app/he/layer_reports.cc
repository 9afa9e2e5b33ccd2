#include "app/he/layer_reports.h"

#include <algorithm>
#include <cmath>

#include "he/circuits/step_plan.h"

namespace ap::app::he {
namespace {

// Seconds of one transform of a limb of N words with primes of at most 50 bits on one core of the machine that the figures of
// docs/he-only.md are of, and how much of the time that transforms and keys take everything takes.
constexpr double kTransformSeconds = 5.6e-6 / (8192 * 13.0), kOverhead = 1.35;
// Of a bootstrap by each set with 2^14 slots, seconds on one core (docs/bootstrapping.md).
double bootstrap_seconds(const std::string& name) { return name == "R15" ? 1.11 : 8.8; }

double transform_seconds(std::uint32_t n) {
  return kTransformSeconds * n * std::log2(static_cast<double>(n));
}

// A multiplication with relinearisation and rescaling at a level.
double multiply_seconds(const rlwe::Parameters& p, std::size_t level) {
  const std::size_t special = p.special_primes.size(), limbs = level + special,
                    alpha = std::max<std::size_t>(1, special), digits = (level + alpha - 1) / alpha;
  const auto transforms = static_cast<double>(digits * limbs + 2 * limbs),
             keys = static_cast<double>(2 * digits * limbs);
  return (transforms + 0.8 * keys) * transform_seconds(p.n) * kOverhead;
}

int degree_of(const he_only::Polynomial& polynomial) {
  if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&polynomial)) return series->degree();
  if (const auto* relu = std::get_if<he_only::CompositeRelu>(&polynomial)) {
    int degree = 1;
    for (const circuits::ChebyshevSeries& stage : relu->sign.stages) degree *= stage.degree();
    return degree;
  }
  return 2;
}

}  // namespace

std::vector<LayerReport> layer_reports(const he_only::Structure& structure,
                                       const he_only::ShapedNetwork& shaped, const he_only::Choices& choices,
                                       const he_only::Program& program) {
  std::vector<LayerReport> reports;
  for (std::size_t s = 1; s < program.steps.size(); ++s) {
    const he_only::ProgramStep& step = program.steps[s];
    const rlwe::Parameters& p = program.contexts[step.context];
    const he_only::Step& what = structure.steps()[s];
    LayerReport report;
    report.name = structure.node(s).name;
    report.op = what.kind == he_only::Step::Kind::linear ? "linear" : "activation";
    report.level = step.from;
    report.primes = p.data_primes.size() + p.special_primes.size();
    report.n = p.n;
    report.log2_qp = p.log2_qp();
    report.bootstrapped = step.bootstrapped;
    const double transform = transform_seconds(p.n);
    if (what.kind == he_only::Step::Kind::activation) {
      const he_only::Polynomial& polynomial = choices.polynomials[s].value();
      report.degree = degree_of(polynomial);
      // Products happen at all levels between first and last.
      const std::size_t middle = (step.from + step.level + 1) / 2;
      report.predicted_s = he_only::products(polynomial) * multiply_seconds(p, middle) *
                           static_cast<double>(shaped.layouts[s].ciphertexts);
    }
    for (const he_only::ShapedTerm& term : shaped.terms[s]) {
      const std::size_t size = std::max(shaped.layouts[term.step].period, shaped.layouts[s].period);
      for (const auto& row : term.diagonals) {
        for (const auto& diagonals : row) {
          if (diagonals.empty()) continue;
          const circuits::StepPlan plan = circuits::plan_steps(diagonals, size, p, step.from);
          report.diagonals += diagonals.size();
          report.rotations += plan.cost.baby + plan.cost.giant;
          const auto limbs = static_cast<double>(step.from + p.special_primes.size());
          // Diagonals are transformed when they are used, in a ring of twice as many coefficients as slots, and multiply two
          // polynomials of N.
          const double diagonal =
              limbs * (transform_seconds(static_cast<std::uint32_t>(2 * size)) + 0.25 * transform);
          report.predicted_s +=
              (plan.cost.total() * transform + static_cast<double>(diagonals.size()) * diagonal) * kOverhead;
        }
        report.rotations += term.folds.size();
        report.predicted_s += static_cast<double>(term.folds.size()) * multiply_seconds(p, step.level);
      }
    }
    if (step.bootstrapped) {
      report.predicted_s +=
          bootstrap_seconds(choices.ring.bootstrap) * static_cast<double>(shaped.layouts[s].ciphertexts);
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace ap::app::he
