#include "train/samples.h"

#include <algorithm>
#include <cmath>

#include "analysis/noise/counter_random.h"
#include "base/error.h"
#include "base/parallel.h"

namespace ap::train {
namespace {

/// Appends `more` to `to`.
void join(nn::Dataset& to, const nn::Dataset& more) {
  if (!(more.shape == to.shape) || more.floats.empty() != to.floats.empty()) {
    fail_input(
        "{} has images of shape {} and {} of shape {} or another type of pixels; train on one kind of images",
        to.source, nn::to_string(to.shape), more.source, nn::to_string(more.shape));
  }
  to.source += " and " + more.source;
  to.bytes.insert(to.bytes.end(), more.bytes.begin(), more.bytes.end());
  to.floats.insert(to.floats.end(), more.floats.begin(), more.floats.end());
  to.labels.insert(to.labels.end(), more.labels.begin(), more.labels.end());
}

/// Input values by channel and pixel byte.
std::vector<float> byte_table(const nn::Normalization& normalization, int channels) {
  std::vector<float> table;
  for (int c = 0; c < channels; ++c) {
    for (int v = 0; v < 256; ++v)
      table.push_back(static_cast<float>(normalization.apply(v, c, nn::Pixel::byte)));
  }
  return table;
}

struct Change {
  bool mirror = false;
  int dx = 0, dy = 0;
};

Change draw(const Augmentation& augmentation, std::uint64_t seed, std::uint64_t position) {
  Change change;
  const std::uint64_t key = noise::counter_key(seed, position, 0, 0);
  const auto below = [&](std::uint64_t counter, int n) {
    return static_cast<int>((noise::counter_bits(key, counter) >> 32) % static_cast<std::uint64_t>(n));
  };
  change.mirror = augmentation.mirror && below(0, 2) == 1;
  change.dx = below(1, 2 * augmentation.shift + 1) - augmentation.shift;
  change.dy = below(2, 2 * augmentation.shift + 1) - augmentation.shift;
  return change;
}

}  // namespace

std::vector<int> Samples::labels() const {
  std::vector<int> out;
  out.reserve(size());
  for (const std::uint32_t i : which) out.push_back(data->labels[i]);
  return out;
}

Samples all_of(nn::Dataset data, const nn::Normalization& normalization) {
  normalization.check(data.shape.c);
  if (data.size() == 0 || data.labels.size() != data.size()) {
    fail_input("{} has {} images and {} labels; training needs a label for every image", data.source,
               data.size(), data.labels.size());
  }
  Samples samples{std::make_shared<const nn::Dataset>(std::move(data)), normalization, {}};
  samples.which.resize(samples.data->size());
  for (std::size_t i = 0; i < samples.which.size(); ++i) samples.which[i] = static_cast<std::uint32_t>(i);
  return samples;
}

Samples load_samples(std::span<const std::string> sources, nn::Range range,
                     const nn::Normalization& normalization, std::optional<nn::Shape> expected) {
  if (sources.empty()) fail_input("training needs images; name them with --data");
  nn::Dataset joined = nn::load_dataset(sources[0], range, expected);
  for (const std::string& source : sources.subspan(1))
    join(joined, nn::load_dataset(source, range, expected));
  return all_of(std::move(joined), normalization);
}

std::pair<Samples, Samples> split(const Samples& samples, double held_out) {
  if (!(held_out >= 0 && held_out <= 0.5))
    fail_input("a held-out share of {} is out of range; give 0 to 0.5", held_out);
  std::pair<Samples, Samples> parts = {samples, samples};
  if (held_out == 0) {
    parts.second.which.clear();
    return parts;
  }
  const auto step = static_cast<std::size_t>(std::lround(1 / held_out));
  if (samples.size() < step) {
    fail_input("{} images are too few to hold out a share of {}; give more images", samples.size(), held_out);
  }
  parts.first.which.clear();
  parts.second.which.clear();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    (i % step == step - 1 ? parts.second : parts.first).which.push_back(samples.which[i]);
  }
  return parts;
}

Samples subset(const Samples& samples, std::size_t count) {
  Samples out = samples;
  if (count >= samples.size()) return out;
  out.which.clear();
  for (std::size_t i = 0; i < count; ++i) out.which.push_back(samples.which[i * samples.size() / count]);
  return out;
}

Samples of_classes(const Samples& samples, int classes) {
  Samples out = samples;
  std::erase_if(out.which, [&](std::uint32_t i) { return samples.data->labels[i] >= classes; });
  return out;
}

nn::Tensor image(const Samples& samples, std::size_t i) {
  return samples.data->input(samples.which[i], samples.normalization);
}

void assemble(const Samples& samples, std::span<const std::uint32_t> positions,
              const Augmentation& augmentation, std::uint64_t seed, std::span<float> out) {
  const nn::Dataset& data = *samples.data;
  const nn::Shape& shape = data.shape;
  const auto size = static_cast<std::size_t>(shape.size());
  AP_ASSERT(out.size() == positions.size() * size);
  const std::vector<float> table = byte_table(samples.normalization, shape.c);
  parallel_for(positions.size(), [&](std::size_t i) {
    const std::size_t source = std::size_t{samples.which[positions[i]]} * size;
    const Change change = draw(augmentation, seed, positions[i]);
    float* to = out.data() + i * size;
    for (int c = 0; c < shape.c; ++c) {
      const auto value = [&](std::size_t at) {
        return data.floats.empty() ? table[static_cast<std::size_t>(c) * 256 + data.bytes[at]]
                                   : static_cast<float>(samples.normalization.apply(double{data.floats[at]},
                                                                                    c, nn::Pixel::number));
      };
      const auto outside = static_cast<float>(samples.normalization.apply(0, c, nn::Pixel::byte));
      for (int y = 0; y < shape.h; ++y) {
        for (int x = 0; x < shape.w; ++x, ++to) {
          const int from_y = y + change.dy, from_x = (change.mirror ? shape.w - 1 - x : x) + change.dx;
          const bool inside = from_y >= 0 && from_y < shape.h && from_x >= 0 && from_x < shape.w;
          const int place = (c * shape.h + from_y) * shape.w + from_x;
          *to = inside ? value(source + static_cast<std::size_t>(place)) : outside;
        }
      }
    }
  });
}

}  // namespace ap::train
