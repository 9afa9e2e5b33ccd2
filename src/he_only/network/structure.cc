#include "he_only/network/structure.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/error.h"

namespace ap::he_only {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool mixes(const nn::Op& op) {
  return std::holds_alternative<nn::ConvOp>(op) || std::holds_alternative<nn::FullyConnectedOp>(op);
}

// What cannot be computed here at all: all of it in one message.
void refuse_others(const nn::Graph& graph) {
  std::string reasons;
  for (const nn::Node& node : graph.nodes) {
    const char* why = nullptr;
    if (std::holds_alternative<nn::MaxPoolOp>(node.op)) {
      why =
          "a maximum is no polynomial of low degree: train the network with average pooling, or use --protocol hybrid";
    } else if (std::holds_alternative<nn::ProductOp>(node.op)) {
      why = "products of two tensors are not evaluated under encryption yet: use --protocol hybrid";
    }
    if (why)
      reasons += fmt::format("{}layer {} ({}): {}", reasons.empty() ? "" : "; ", node.name,
                             nn::op_name(node.op), why);
  }
  if (!reasons.empty())
    fail_input("network {} cannot run by homomorphic encryption alone: {}", graph.name, reasons);
}

// The function of one value a channel, spread over a tensor.
std::vector<float> spread(const std::vector<float>& by_channel, std::size_t size) {
  std::vector<float> result(size);
  const std::size_t plane = size / by_channel.size();
  for (std::size_t i = 0; i < size; ++i) result[i] = by_channel[i / plane];
  return result;
}

void apply(const SparseMap& map, LinearForm& form) {
  for (LinearForm::Term& term : form.terms) term.map = compose(map, term.map);
  std::vector<double> bias(map.rows());
  multiply_add(map, form.bias, bias);
  form.bias = std::move(bias);
}

// out = scale x + shift, element by element.
void apply(const std::vector<float>& scale, const std::vector<float>& shift, LinearForm& form) {
  for (LinearForm::Term& term : form.terms) scale_rows(term.map, scale);
  for (std::size_t i = 0; i < form.bias.size(); ++i)
    form.bias[i] = form.bias[i] * double{scale[i]} + double{shift[i]};
}

LinearForm::Term* find(LinearForm& form, std::size_t step) {
  const auto found = std::ranges::find(form.terms, step, &LinearForm::Term::step);
  return found == form.terms.end() ? nullptr : &*found;
}

SparseMap zero_map(std::size_t rows, std::size_t columns) {
  return {columns, std::vector<std::size_t>(rows + 1), {}, {}};
}

void add(LinearForm& x, const LinearForm& y) {
  for (const LinearForm::Term& term : y.terms) {
    if (LinearForm::Term* same = find(x, term.step)) {
      same->map = sum(same->map, term.map);
    } else {
      x.terms.push_back(term);
    }
  }
  for (std::size_t i = 0; i < x.bias.size(); ++i) x.bias[i] += y.bias[i];
}

// y's elements after those of x.
void append(LinearForm& x, const LinearForm& y) {
  for (const LinearForm::Term& term : y.terms) {
    if (!find(x, term.step)) x.terms.push_back({term.step, zero_map(x.bias.size(), term.map.columns)});
  }
  for (LinearForm::Term& term : x.terms) {
    const auto other = std::ranges::find(y.terms, term.step, &LinearForm::Term::step);
    term.map =
        stack(term.map, other == y.terms.end() ? zero_map(y.bias.size(), term.map.columns) : other->map);
  }
  x.bias.insert(x.bias.end(), y.bias.begin(), y.bias.end());
}

}  // namespace

bool is_activation(const nn::Node& node) {
  if (const auto* quadratic = std::get_if<nn::QuadraticOp>(&node.op)) return quadratic->c2 != 0;
  return std::holds_alternative<nn::ClipOp>(node.op) || std::holds_alternative<nn::SmoothOp>(node.op);
}

Structure::Structure(const nn::Graph& graph) : graph_(&graph), step_of_(graph.nodes.size(), -1) {
  refuse_others(graph);
  const std::size_t count = graph.nodes.size();
  std::vector<int> readers(count);
  std::vector<bool> held(count), heavy(count);
  held[0] = held[count - 1] = true;
  for (const nn::Node& node : graph.nodes) {
    for (const int input : node.inputs) ++readers[at(input)];
    if (is_activation(node)) held[at(node.inputs[0])] = true;
  }
  // A matrix on top of a matrix would be a dense one, and a tensor that two layers read would be computed twice.
  for (std::size_t n = 0; n < count; ++n) {
    const nn::Node& node = graph.nodes[n];
    if (is_activation(node)) held[n] = true;
    heavy[n] = mixes(node.op);
    for (const int input : node.inputs) {
      if (mixes(node.op) && heavy[at(input)]) held[at(input)] = true;
      heavy[n] = heavy[n] || (heavy[at(input)] && !held[at(input)]);
    }
    if (heavy[n] && readers[n] > 1) held[n] = true;
    if (held[n] && (is_activation(node) || n == 0 || readers[n] > 1)) heavy[n] = false;
  }
  std::vector<bool> taken;  // by step: it is the argument of an activation
  const auto push = [&](Step step) {
    steps_.push_back(std::move(step));
    taken.push_back(false);
    return static_cast<int>(steps_.size()) - 1;
  };
  for (std::size_t n = 0; n < count; ++n) {
    if (!held[n]) continue;
    const nn::Node& node = graph.nodes[n];
    const int number = static_cast<int>(n);
    if (!is_activation(node)) {
      step_of_[n] = push({n == 0 ? Step::Kind::input : Step::Kind::linear, number, -1, node.shape});
      continue;
    }
    int argument = step_of_[at(node.inputs[0])];
    if (steps_[at(argument)].kind != Step::Kind::linear || taken[at(argument)]) {
      argument = push({Step::Kind::linear, node.inputs[0], -1, node.shape});
    }
    taken[at(argument)] = true;
    step_of_[n] = push({Step::Kind::activation, number, argument, node.shape});
  }
}

int Structure::held(int node, int but_step) const {
  const int step = step_of_[at(node)];
  return step == but_step ? -1 : step;
}

void Structure::collect(int node, int but_step, std::vector<std::size_t>& steps) const {
  if (const int step = held(node, but_step); step >= 0) {
    steps.push_back(at(step));
    return;
  }
  for (const int input : graph_->nodes[at(node)].inputs) collect(input, but_step, steps);
}

std::vector<std::size_t> Structure::reads(std::size_t step) const {
  const Step& s = steps_[step];
  if (s.kind == Step::Kind::input) return {};
  if (s.kind == Step::Kind::activation) return {at(s.argument)};
  std::vector<std::size_t> result;
  collect(s.node, static_cast<int>(step), result);
  std::ranges::sort(result);
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

LinearForm Structure::expand(int number, int but_step) const {
  const nn::Node& node = graph_->nodes[at(number)];
  const auto size = static_cast<std::size_t>(node.shape.size());
  if (const int step = held(number, but_step); step >= 0) {
    return {{{at(step), identity_map(size)}}, std::vector<double>(size)};
  }
  LinearForm form = expand(node.inputs[0], but_step);
  const nn::Shape& in = graph_->nodes[at(node.inputs[0])].shape;
  if (const auto* conv = std::get_if<nn::ConvOp>(&node.op)) {
    apply(convolution_map(*conv, in, node.shape), form);
    const std::vector<float> bias = spread(conv->bias, size);
    for (std::size_t i = 0; i < size; ++i) form.bias[i] += double{bias[i]};
  } else if (const auto* fc = std::get_if<nn::FullyConnectedOp>(&node.op)) {
    apply(fully_connected_map(*fc, static_cast<std::size_t>(in.size())), form);
    for (std::size_t i = 0; i < size; ++i) form.bias[i] += double{fc->bias[i]};
  } else if (const auto* pool = std::get_if<nn::AveragePoolOp>(&node.op)) {
    apply(average_pool_map(*pool, in, node.shape), form);
  } else if (const auto* gather = std::get_if<nn::GatherOp>(&node.op)) {
    apply(gather_map(*gather, static_cast<std::size_t>(in.size())), form);
  } else if (const auto* affine = std::get_if<nn::AffineOp>(&node.op)) {
    apply(spread(affine->scale, size), spread(affine->shift, size), form);
  } else if (const auto* line = std::get_if<nn::QuadraticOp>(&node.op)) {
    apply(std::vector<float>(size, line->c1), std::vector<float>(size, line->c0), form);
  } else if (std::holds_alternative<nn::AddOp>(node.op)) {
    add(form, expand(node.inputs[1], but_step));
  } else if (std::holds_alternative<nn::ConcatOp>(node.op)) {
    for (std::size_t i = 1; i < node.inputs.size(); ++i) append(form, expand(node.inputs[i], but_step));
  } else {
    AP_ASSERT(!"a layer that refuse_others lets pass");
  }
  return form;
}

LinearForm Structure::form(std::size_t step) const {
  AP_ASSERT(steps_[step].kind == Step::Kind::linear);
  LinearForm form = expand(steps_[step].node, static_cast<int>(step));
  std::ranges::sort(form.terms, {}, &LinearForm::Term::step);
  return form;
}

}  // namespace ap::he_only
