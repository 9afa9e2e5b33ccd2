#include "he/rlwe/ciphertext.h"

#include "base/error.h"

namespace ap::rlwe {

Ciphertext::Ciphertext(ContextPtr context, std::size_t level, std::size_t degree, Form form)
    : context_(std::move(context)), level_(level), degree_(degree), form_(form) {
  AP_ASSERT(level >= 1 && level <= context_->data() && degree >= 1 && degree <= 2);
  values_.resize((degree + 1) * words());
}

void Ciphertext::to(Form form) {
  if (form == form_) return;
  for (std::size_t k = 0; k <= degree_; ++k) {
    for (std::size_t i = 0; i < level_; ++i) {
      const ring::NttTables& tables = context_->tables(i);
      form == Form::ntt ? tables.forward(part(k, i)) : tables.inverse(part(k, i));
    }
  }
  form_ = form;
}

Plaintext::Plaintext(const Context& context, std::size_t level)
    : n_(context.n()), level_(level), values_(level * context.n()) {
  AP_ASSERT(level >= 1 && level <= context.data());
}

}  // namespace ap::rlwe
