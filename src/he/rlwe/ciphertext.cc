#include "he/rlwe/ciphertext.h"

#include <algorithm>

#include "base/error.h"
#include "he/rlwe/polynomial.h"

namespace ap::rlwe {

Ciphertext::Ciphertext(ContextPtr context, std::size_t level, std::size_t degree, Form form)
    : Ciphertext(std::move(context), level, degree, form, Unwritten()) {
  std::ranges::fill(values_, 0);
}

Ciphertext Ciphertext::unwritten(ContextPtr context, std::size_t level, std::size_t degree, Form form) {
  return {std::move(context), level, degree, form, Unwritten()};
}

Ciphertext::Ciphertext(ContextPtr context, std::size_t level, std::size_t degree, Form form, Unwritten)
    : context_(std::move(context)), level_(level), degree_(degree), form_(form) {
  AP_ASSERT(level >= 1 && level <= context_->data() && degree >= 1 && degree <= 2);
  values_.resize((degree + 1) * words());
}

void Ciphertext::to(Form form) {
  if (form == form_) return;
  for_parts(*context_, (degree_ + 1) * level_, [&](std::size_t at) {
    const std::size_t k = at / level_, i = at % level_;
    const ring::NttTables& tables = context_->tables(i);
    form == Form::ntt ? tables.forward(part(k, i)) : tables.inverse(part(k, i));
  });
  form_ = form;
}

Plaintext::Plaintext(const Context& context, std::size_t level)
    : n_(context.n()), level_(level), values_(level * context.n()) {
  AP_ASSERT(level >= 1 && level <= context.data());
}

}  // namespace ap::rlwe
