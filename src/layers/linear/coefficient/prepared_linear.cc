#include "layers/linear/coefficient/prepared_linear.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "he/rlwe/evaluate.h"

namespace ap::linear {
namespace {

// Sums that one thread builds at a time, of several windows where there are several: their memory, against the
// transforms that they share.
constexpr std::size_t kSums = 16;
// Weights transformed at a time: so many products have one reduction.
constexpr std::size_t kTerms = 16;

// What one thread computes at a time: for windows [first, first + windows) of one block of groups, the outputs
// [output, output + outputs) of each.
struct Task {
  std::size_t first, windows, output, outputs;
};

std::vector<Task> tasks_of(const HeLinear& layer, std::size_t part) {
  const Layout& layout = layer.layout();
  const std::size_t of_group = layout.windows_of_group(), of_window = layout.outputs_of_window();
  const std::size_t end = layer.first_window(part) + layer.windows_of(part);
  std::vector<Task> tasks;
  for (std::size_t first = layer.first_window(part); first < end;) {
    const std::size_t windows = std::min({kSums, end - first, of_group - first % of_group});
    // Enough of them for all threads.
    const std::size_t together = std::min(std::max<std::size_t>(1, kSums / windows),
                                          std::max<std::size_t>(1, of_window / (4 * thread_count())));
    for (std::size_t output = 0; output < of_window; output += together) {
      tasks.push_back({first, windows, output, std::min(together, of_window - output)});
    }
    first += windows;
  }
  return tasks;
}

}  // namespace

PreparedLinear::PreparedLinear(std::shared_ptr<const HeLinear> layer, std::span<const std::int16_t> weights)
    : layer_(std::move(layer)), weights_(weights.begin(), weights.end()) {
  const auto wanted = static_cast<std::size_t>(layer_->geometry().weight_count());
  if (weights.size() != wanted) {
    fail_input("a linear layer of this shape has {} weights, but {} were given", wanted, weights.size());
  }
}

std::size_t PreparedLinear::memory_bytes(const HeLinear& layer) {
  return static_cast<std::size_t>(layer.geometry().weight_count()) * sizeof(std::int16_t);
}

std::size_t PreparedLinear::working_bytes(const HeLinear& layer, std::size_t part) {
  const LayerRing ring = layer.ring();
  const std::size_t polynomial = ring.n * ring.primes.size() * sizeof(std::uint64_t);
  const std::size_t uploads = layer.windows_of(part) * layer.layout().terms();
  const std::size_t threads = std::min(thread_count(), tasks_of(layer, part).size());
  return (2 * uploads + threads * (2 * kSums + std::min(kTerms, layer.layout().terms()))) * polynomial;
}

Bytes PreparedLinear::apply(ByteView uploads, const rlwe::PublicKey& key, const Seed& seed,
                            std::span<std::uint64_t> server_shares, rlwe::ErrorSource errors) const {
  if (uploads.size() != layer_->upload_bytes()) {
    fail_peer("the uploads of a linear layer have {} bytes instead of {}", uploads.size(),
              layer_->upload_bytes());
  }
  Bytes replies;
  replies.reserve(layer_->reply_bytes());
  for (std::size_t part = 0; part < layer_->parts(); ++part) {
    const std::size_t bytes = layer_->part_upload_bytes(part);
    const Bytes reply = apply(part, uploads.first(bytes), key, seed, server_shares, errors);
    replies.insert(replies.end(), reply.begin(), reply.end());
    uploads = uploads.subspan(bytes);
  }
  return replies;
}

Bytes PreparedLinear::apply(std::size_t part, ByteView uploads, const rlwe::PublicKey& key, const Seed& seed,
                            std::span<std::uint64_t> server_shares, rlwe::ErrorSource errors) const {
  const Layout& layout = layer_->layout();
  const bfv::ContextPtr& context = layer_->context();
  AP_ASSERT(server_shares.size() == static_cast<std::size_t>(layout.geometry().out().size()));
  if (uploads.size() != layer_->part_upload_bytes(part)) {
    fail_peer("the uploads of a linear layer have {} bytes instead of {}", uploads.size(),
              layer_->part_upload_bytes(part));
  }
  const std::size_t each = rlwe::seeded_bytes(*context), first_upload = layer_->first_upload(part);
  std::vector<std::optional<rlwe::Ciphertext>> inputs(layer_->first_upload(part + 1) - first_upload);
  parallel_for(inputs.size(), [&](std::size_t i) {
    inputs[i].emplace(rlwe::load_seeded(context, uploads.subspan(i * each, each)));
  });

  Bytes replies(layer_->part_reply_bytes(part));
  const std::size_t first_byte = layer_->reply_offset(layer_->first_reply(part));
  const auto finish = [&](std::size_t reply, rlwe::Ciphertext&& sum) {
    const std::span<const std::uint32_t> at = layer_->outputs(reply);
    SecretVector<std::uint64_t> shares(at.size());
    Prng prng(seed, reply);
    const Bytes bytes = bfv::reshare(*context, key, std::move(sum), layer_->log2_p(),
                                     layer_->reply_format(reply), layer_->noise_step(), prng, shares, errors);
    AP_ASSERT(bytes.size() == layer_->reply_offset(reply + 1) - layer_->reply_offset(reply));
    std::copy(bytes.begin(), bytes.end(),
              replies.begin() + static_cast<std::ptrdiff_t>(layer_->reply_offset(reply) - first_byte));
    for (std::size_t k = 0; k < at.size(); ++k) server_shares[at[k]] = shares[k];
  };

  const std::vector<Task> tasks = tasks_of(*layer_, part);
  parallel_for(tasks.size(), [&](std::size_t number) {
    const Task& task = tasks[number];
    const std::size_t most = std::min(kTerms, layout.terms());
    std::vector<rlwe::Plaintext> made(most, rlwe::Plaintext(*context, context->data()));
    std::vector<const rlwe::Plaintext*> weights(most);
    std::vector<const rlwe::Ciphertext*> x(most);
    std::vector<bfv::Term> list;
    for (std::size_t k = 0; k < most; ++k) weights[k] = &made[k];
    for (std::size_t output = task.output; output < task.output + task.outputs; ++output) {
      const std::size_t reply = task.first * layout.outputs_of_window() + output;
      std::vector<rlwe::Ciphertext> sums(task.windows, rlwe::Ciphertext(context, context->data()));
      for (std::size_t at = 0; at < layout.terms(); at += most) {
        const std::size_t count = std::min(most, layout.terms() - at);
        for (std::size_t k = 0; k < count; ++k) {
          layout.list_weights(layout.first_weight(reply) + at + k, weights_, list);
          bfv::sparse_plaintext(*context, list, made[k]);
        }
        for (std::size_t w = 0; w < task.windows; ++w) {
          const std::size_t upload = (task.first + w) * layout.terms() + at - first_upload;
          for (std::size_t k = 0; k < count; ++k) x[k] = &*inputs[upload + k];
          rlwe::multiply_plain_add(std::span(x).first(count), std::span(weights).first(count), sums[w]);
        }
      }
      for (std::size_t w = 0; w < task.windows; ++w) {
        finish(reply + w * layout.outputs_of_window(), std::move(sums[w]));
      }
    }
  });
  return replies;
}

}  // namespace ap::linear
