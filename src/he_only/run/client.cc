#include "he_only/run/client.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "he/ckks/encrypt.h"
#include "he/rlwe/wire.h"

namespace ap::he_only {

Ends ends_of(const ShapedNetwork& shaped, const Program& program) {
  const ProgramStep &first = program.steps.front(), &last = program.steps.back();
  return {shaped.layouts.front(), shaped.layouts.back(), first.scale, last.scale, first.view, last.view};
}

ClientCoder::ClientCoder(const Contexts& contexts, std::size_t input_context, Ends ends)
    : contexts_(contexts),
      ends_(std::move(ends)),
      input_(contexts.contexts[input_context]),
      answer_(contexts.answer) {}

std::size_t request_bytes(const Contexts& contexts, std::size_t input_context, const Ends& ends) {
  return ends.input.ciphertexts * rlwe::seeded_bytes(*contexts.contexts[input_context]);
}

std::size_t ClientCoder::request_bytes() const {
  return ends_.input.ciphertexts * rlwe::seeded_bytes(*input_.context());
}

std::size_t ClientCoder::answer_bytes() const {
  return ends_.output.ciphertexts * rlwe::ciphertext_bytes(*contexts_.answer, 1);
}

Bytes ClientCoder::encrypt(std::span<const float> image, const ClientKeys& keys, Prng& prng) const {
  const Layout& layout = ends_.input;
  if (static_cast<std::int64_t>(image.size()) != layout.shape.size()) {
    fail_input("an image has {} values, and the network takes {}", image.size(), layout.shape.size());
  }
  Bytes request;
  for (std::size_t c = 0; c < layout.ciphertexts; ++c) {
    ckks::Slots slots(layout.period);
    for (std::size_t i = 0; i < image.size(); ++i) {
      const std::size_t slot = layout.slot(i);
      if (slot / layout.period != c) continue;
      const double value = (double{image[i]} - ends_.input_view.shift) / ends_.input_view.factor;
      slots[slot % layout.period] = std::min(1.0, std::max(-1.0, value));
    }
    const Bytes one = ckks::encrypt_seeded(input_, keys.input_secret(), slots, ends_.input_scale, prng);
    request.insert(request.end(), one.begin(), one.end());
  }
  return request;
}

SecretVector<double> ClientCoder::decrypt(ByteView answer, const ClientKeys& keys) const {
  AP_ASSERT(answer.size() == answer_bytes());
  const Layout& layout = ends_.output;
  const std::size_t bytes = rlwe::ciphertext_bytes(*contexts_.answer, 1);
  SecretVector<double> scores(static_cast<std::size_t>(layout.shape.size()));
  for (std::size_t c = 0; c < layout.ciphertexts; ++c) {
    const ckks::Ciphertext x =
        ckks::load_ciphertext(contexts_.answer, 1, ends_.output_scale, answer.subspan(c * bytes, bytes));
    const ckks::Slots slots = ckks::decrypt(answer_, keys.answer_secret(), x, layout.period);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const std::size_t slot = layout.slot(i);
      if (slot / layout.period != c) continue;
      scores[i] = ends_.output_view.factor * slots[slot % layout.period].real() + ends_.output_view.shift;
    }
  }
  return scores;
}

Registers load_request(const Contexts& contexts, std::size_t input_context, const Ends& ends,
                       ByteView request) {
  const rlwe::ContextPtr& context = contexts.contexts[input_context];
  const std::size_t bytes = rlwe::seeded_bytes(*context);
  if (request.size() != ends.input.ciphertexts * bytes) {
    fail_peer("the client's image has {} bytes, not {}", request.size(), ends.input.ciphertexts * bytes);
  }
  Registers image;
  for (std::size_t c = 0; c < ends.input.ciphertexts; ++c) {
    image.push_back(ckks::load_seeded(context, ends.input_scale, request.subspan(c * bytes, bytes)));
  }
  return image;
}

Bytes serialise_answer(const Registers& answer) {
  Bytes bytes;
  for (const ckks::Ciphertext& x : answer) {
    const Bytes one = ckks::serialise(x);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  return bytes;
}

}  // namespace ap::he_only
