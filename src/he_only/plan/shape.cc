#include "he_only/plan/shape.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "he_only/layout/packing.h"

namespace ap::he_only {
namespace {

double mean_row_square(const SparseMap& map) {
  double sum = 0;
  for (const float weight : map.weight) sum += double{weight} * weight;
  return sum / static_cast<double>(map.rows());
}

std::size_t count(const ShapedTerm& term) {
  std::size_t diagonals = 0;
  for (const auto& row : term.diagonals) {
    for (const auto& one : row) diagonals += one.size();
  }
  return diagonals;
}

std::vector<ShapedTerm> shaped(const LinearForm& form, const std::vector<Layout>& layouts,
                               const Layout& out) {
  std::vector<ShapedTerm> terms;
  for (const LinearForm::Term& term : form.terms) {
    const Layout& in = layouts[term.step];
    ShapedTerm one{term.step, diagonals_of(term.map, in, out), fold_steps(in.period, out.period),
                   mean_row_square(term.map)};
    if (count(one) > 0) terms.push_back(std::move(one));
  }
  return terms;
}

// About how many rotations: twice the root of the diagonals (baby steps and giant steps), and the folds.
double rotations(const std::vector<ShapedTerm>& terms) {
  double sum = 0;
  for (const ShapedTerm& term : terms) {
    for (const auto& row : term.diagonals) {
      for (const auto& one : row) sum += 2 * std::sqrt(static_cast<double>(one.size()));
      sum += static_cast<double>(term.folds.size());
    }
  }
  return sum;
}

}  // namespace

std::size_t ShapedNetwork::ciphertexts() const {
  std::size_t most = 1;
  for (const Layout& layout : layouts) most = std::max(most, layout.ciphertexts);
  return most;
}

std::size_t ShapedNetwork::period() const {
  std::size_t most = 8;
  for (const Layout& layout : layouts) most = std::max(most, layout.period);
  return most;
}

ShapedNetwork shape(const Structure& structure, std::size_t most_slots) {
  ShapedNetwork network;
  network.most_slots = most_slots;
  for (std::size_t s = 0; s < structure.steps().size(); ++s) {
    const Step& step = structure.steps()[s];
    std::vector<ShapedTerm> terms;
    Layout layout = dense_layout(step.shape, most_slots);
    if (step.kind == Step::Kind::activation) {
      layout = network.layouts[static_cast<std::size_t>(step.argument)];
    } else if (step.kind == Step::Kind::linear) {
      const LinearForm form = structure.form(s);
      if (form.terms.empty()) fail_input("layer {} depends on no input at all", structure.node(s).name);
      // The tensor with the most distances decides where results lie: they stay near it.
      std::size_t main = 0;
      for (std::size_t t = 1; t < form.terms.size(); ++t) {
        if (form.terms[t].map.entries() > form.terms[main].map.entries()) main = t;
      }
      layout = layout_after(network.layouts[form.terms[main].step], step.shape, most_slots);
      terms = shaped(form, network.layouts, layout);
      // Results on as many slots as what they are computed from need no folds, but more diagonals.
      Layout wide = layout;
      for (const LinearForm::Term& term : form.terms)
        wide.period = std::max(wide.period, network.layouts[term.step].period);
      if (wide.period > layout.period && layout.ciphertexts == 1) {
        std::vector<ShapedTerm> others = shaped(form, network.layouts, wide);
        if (rotations(others) < rotations(terms)) {
          terms = std::move(others);
          layout = wide;
        }
      }
      if (terms.empty()) fail_input("all weights of layer {} are zero", structure.node(s).name);
    }
    network.layouts.push_back(layout);
    network.terms.push_back(std::move(terms));
  }
  return network;
}

}  // namespace ap::he_only
