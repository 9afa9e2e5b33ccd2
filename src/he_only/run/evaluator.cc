#include "he_only/run/evaluator.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "he/circuits/evaluate_polynomial.h"
#include "he/ckks/evaluate.h"
#include "he/rlwe/encrypt.h"
#include "he/rlwe/evaluate.h"
#include "he_only/layout/packing.h"
#include "random/wide_noise.h"

namespace ap::he_only {
namespace {

using ckks::Ciphertext;

// With as many primes as the step takes, in the context whose keys it uses.
Ciphertext at(const Ciphertext& x, std::size_t level, const rlwe::ContextPtr& context) {
  const Ciphertext y = x.level() == level ? x : ckks::drop_level(x, level);
  return y.context() == context ? y : Ciphertext(rlwe::moved(y.polynomials(), context), y.scale());
}

std::vector<std::size_t> last_readers(const Structure& structure) {
  std::vector<std::size_t> last(structure.steps().size());
  for (std::size_t s = 0; s < last.size(); ++s) {
    last[s] = last.size();
    for (const std::size_t r : structure.reads(s)) last[r] = s;
  }
  return last;
}

}  // namespace

Evaluator::Evaluator(const Structure& structure, const ShapedNetwork& shaped, const Choices& choices,
                     const Program& program, const Contexts& contexts)
    : structure_(structure),
      shaped_(shaped),
      choices_(choices),
      program_(program),
      contexts_(contexts),
      encoders_(program.contexts.size()),
      last_reader_(last_readers(structure)) {
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const std::size_t context = program.steps[s].context;
    if (structure.steps()[s].kind == Step::Kind::linear && !encoders_[context]) {
      encoders_[context] = std::make_shared<const ckks::Encoder>(contexts.contexts[context]);
    }
    linears_.push_back(encoded(s));
  }
  if (contexts.bootstrap) bootstrapper_ = std::make_unique<const circuits::Bootstrapper>(*contexts.bootstrap);
}

Evaluator::Linear Evaluator::encoded(std::size_t s) const {
  Linear linear;
  if (structure_.steps()[s].kind != Step::Kind::linear) return linear;
  const ProgramStep& step = program_.steps[s];
  const Layout& out = shaped_.layouts[s];
  const LinearForm form = structure_.form(s);
  std::vector<double> bias = form.bias;
  for (const LinearForm::Term& term : form.terms) {
    const ProgramStep& before = program_.steps[term.step];
    if (before.view.shift != 0) {
      multiply_add(term.map, std::vector<double>(term.map.columns, before.view.shift), bias);
    }
    const Layout& in = shaped_.layouts[term.step];
    linear.term_steps.push_back(term.step);
    linear.folds.push_back(fold_steps(in.period, out.period));
    for (std::size_t to = 0; to < out.ciphertexts; ++to) {
      for (std::size_t from = 0; from < in.ciphertexts; ++from) {
        const auto packed = pack(term.map, in, out, from, to, before.view.factor / step.view.factor);
        if (!packed) continue;
        linear.matrices.push_back({linear.term_steps.size() - 1, from, to,
                                   circuits::LinearTransform(*encoders_[step.context], packed->matrix,
                                                             {step.from, before.scale, step.scale})});
      }
    }
  }
  linear.bias.assign(out.ciphertexts, std::vector<double>(out.period));
  for (std::size_t i = 0; i < bias.size(); ++i) {
    const std::size_t slot = out.slot(i);
    linear.bias[slot / out.period][slot % out.period] = (bias[i] - step.view.shift) / step.view.factor;
  }
  return linear;
}

Registers Evaluator::linear(std::size_t s, const std::vector<Registers>& values,
                            const EvaluationKeys& keys) const {
  const ProgramStep& step = program_.steps[s];
  const rlwe::ContextPtr& context = contexts_.contexts[step.context];
  const Linear& linear = linears_[s];
  const ckks::Encoder& encoder = *encoders_[step.context];
  Registers result;
  for (std::size_t to = 0; to < linear.bias.size(); ++to) {
    std::optional<Ciphertext> total;
    for (std::size_t t = 0; t < linear.term_steps.size(); ++t) {
      std::optional<Ciphertext> sum;
      for (const Matrix& matrix : linear.matrices) {
        if (matrix.to != to || matrix.term != t) continue;
        Ciphertext product = matrix.transform.apply(
            at(values[linear.term_steps[t]][matrix.from], step.from, context), keys.rotations(step.context));
        if (sum) {
          ckks::add(*sum, product);
        } else {
          sum = std::move(product);
        }
      }
      if (!sum) continue;
      for (const std::size_t fold : linear.folds[t]) {
        ckks::add(*sum, ckks::rotate(*sum, static_cast<std::int64_t>(fold), keys.rotations(step.context)));
      }
      if (total) {
        ckks::add(*total, *sum);
      } else {
        total = std::move(sum);
      }
    }
    if (!total) total.emplace(rlwe::Ciphertext(context, step.level), step.scale);
    ckks::add_plain(*total, encoder.encode(std::span<const double>(linear.bias[to]), step.level, step.scale));
    result.push_back(std::move(*total));
  }
  if (!step.bootstrapped) return result;
  for (Ciphertext& x : result) {
    x = (*bootstrapper_)(at(x, contexts_.bootstrap->input_level(), bootstrapper_->contexts().chain),
                         keys.bootstrap());
  }
  return result;
}

Registers Evaluator::activation(std::size_t s, const Registers& argument, const EvaluationKeys& keys) const {
  const ProgramStep& step = program_.steps[s];
  const rlwe::ContextPtr& context = contexts_.contexts[step.context];
  const rlwe::RelinearisationKey& key = keys.relinearisation(step.context);
  const Polynomial& polynomial = choices_.polynomials[s].value();
  const circuits::Target target{step.level, step.scale};
  Registers result;
  for (const Ciphertext& x : argument) {
    const Ciphertext t = at(x, step.from, context);
    if (std::holds_alternative<Quadratic>(polynomial)) {
      result.push_back(ckks::multiply_rescale(t, t, key));
    } else if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&polynomial)) {
      circuits::ChebyshevSeries scaled = *series;
      for (double& c : scaled.coefficients) c /= step.view.factor;
      circuits::ChebyshevPowers powers(t, key);
      result.push_back(circuits::evaluate(powers, scaled, target));
    } else {
      // Slots are on [-1, 1] before and after.
      result.push_back(circuits::evaluate_relu(t, std::get<CompositeRelu>(polynomial).sign, 1, target, key));
    }
  }
  return result;
}

Registers Evaluator::evaluate(Registers image, const EvaluationKeys& keys,
                              const std::function<void(std::size_t)>& done) const {
  AP_ASSERT(keys.complete() && image.size() == shaped_.layouts[0].ciphertexts);
  std::vector<Registers> values(program_.steps.size());
  values[0] = std::move(image);
  for (std::size_t s = 1; s < values.size(); ++s) {
    const Step& what = structure_.steps()[s];
    values[s] = what.kind == Step::Kind::linear
                    ? linear(s, values, keys)
                    : activation(s, values[static_cast<std::size_t>(what.argument)], keys);
    for (const std::size_t r : structure_.reads(s)) {
      if (last_reader_[r] == s) values[r] = {};
    }
    if (done) done(s);
  }
  return std::move(values.back());
}

void Evaluator::hide(Ciphertext& x, const EvaluationKeys& keys, Prng& prng) const {
  const rlwe::Context& context = *contexts_.answer;
  const std::uint64_t q = context.modulus(0).value();
  const std::size_t n = context.n();
  SecretVector<std::int64_t> noise(n);
  if (choices_.flood_step > 0) sample_wide_noise(prng, choices_.flood_step, noise);
  const auto add = [&](std::size_t, std::span<std::uint64_t> values) {
    for (std::size_t j = 0; j < n; ++j) {
      const std::uint64_t residue =
          static_cast<std::uint64_t>(noise[j]) + (q & static_cast<std::uint64_t>(noise[j] >> 63));
      values[j] = context.modulus(0).add(values[j], residue);
    }
  };
  rlwe::add_encryption_of_zero(keys.answer(), rlwe::EncryptionRandomness(n, prng), add, x.polynomials());
}

Registers Evaluator::answer(Registers image, const EvaluationKeys& keys, Prng& prng,
                            const std::function<void(std::size_t)>& done) const {
  Registers result = evaluate(std::move(image), keys, done);
  for (Ciphertext& x : result) {
    x = at(x, 1, contexts_.answer);
    hide(x, keys, prng);
  }
  return result;
}

std::size_t Evaluator::memory_bytes() const {
  std::size_t bytes = bootstrapper_ ? bootstrapper_->memory_bytes() : 0;
  for (const Linear& linear : linears_) {
    for (const Matrix& matrix : linear.matrices) bytes += matrix.transform.memory_bytes();
  }
  return bytes;
}

}  // namespace ap::he_only
