#include "train/checkpoint.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"

namespace ap::train {
namespace {

constexpr std::uint64_t kMagic = 0x314b434e54525041;  // "APRTNCK1"
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 32;
constexpr std::size_t kMaxEpochs = 1'000'000;

}  // namespace

void save(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  ByteWriter out;
  out.u64(kMagic);
  out.u64(checkpoint.fingerprint);
  out.u64(static_cast<std::uint64_t>(checkpoint.steps));
  out.f64(checkpoint.loss_sum);
  out.u64(checkpoint.losses.size());
  for (const double loss : checkpoint.losses) out.f64(loss);
  out.u64(checkpoint.tensors.size());
  for (const std::vector<float>& tensor : checkpoint.tensors) {
    out.u64(tensor.size());
    out.raw({reinterpret_cast<const std::uint8_t*>(tensor.data()), tensor.size() * sizeof(float)});
  }
  write_file(path, out.bytes());
}

Checkpoint load(const std::filesystem::path& path, std::uint64_t fingerprint,
                const std::vector<std::size_t>& sizes) {
  const Bytes bytes = read_file(path, kMaxBytes);
  ByteReader in(bytes, "checkpoint " + path.string());
  if (in.u64() != kMagic) fail_input("{} is not a checkpoint of this version", path.string());
  Checkpoint out;
  out.fingerprint = in.u64();
  if (out.fingerprint != fingerprint) {
    fail_input(
        "checkpoint {} is of another model, other data or other options; remove it or repeat its command",
        path.string());
  }
  out.steps = static_cast<std::int64_t>(in.u64());
  out.loss_sum = in.f64();
  const std::uint64_t epochs = in.u64();
  if (epochs > kMaxEpochs) fail_input("checkpoint {} announces {} epochs", path.string(), epochs);
  for (std::uint64_t i = 0; i < epochs; ++i) out.losses.push_back(in.f64());
  if (in.u64() != sizes.size()) fail_input("checkpoint {} does not hold this model's tensors", path.string());
  for (const std::size_t size : sizes) {
    if (in.u64() != size) fail_input("checkpoint {} does not hold this model's tensors", path.string());
    const ByteView raw = in.raw(size * sizeof(float));
    out.tensors.emplace_back(size);
    if (size > 0) std::memcpy(out.tensors.back().data(), raw.data(), raw.size());
  }
  in.expect_end();
  return out;
}

}  // namespace ap::train
