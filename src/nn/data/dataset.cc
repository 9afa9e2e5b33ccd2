#include "nn/data/dataset.h"

#include <algorithm>

#include "base/error.h"
#include "nn/data/dataset_formats.h"

namespace ap::nn {
namespace {

constexpr const char* kSchemes =
    "cifar10:FILE, cifar100:FILE, mnist:DIR, mnist-train:DIR, images:DIR, npy:X.npy[,Y.npy]";

/// "X.npy", or "X.npy,Y.npy". Names may hold commas too: what exists as a whole is one file, and otherwise the comma
/// divides behind which, and before which, a file exists.
Dataset read_arrays(const std::string& rest, Range range, const std::optional<Shape>& expected,
                    const InputForm& form) {
  const auto is_file = [](const std::string& path) {
    std::error_code unknown;
    return std::filesystem::is_regular_file(path, unknown);
  };
  const std::size_t comma = rest.find(',');
  if (comma == std::string::npos || is_file(rest)) return read_npy(rest, "", range, expected, form);
  for (std::size_t at = comma; at != std::string::npos; at = rest.find(',', at + 1)) {
    const std::string images = rest.substr(0, at), labels = rest.substr(at + 1);
    if (is_file(images) && is_file(labels)) return read_npy(images, labels, range, expected, form);
  }
  const std::string images = rest.substr(0, comma), labels = rest.substr(comma + 1);
  fail_input(
      "cannot read {}: there is no such file (a comma stands between the file of images and that of labels: {} and {})",
      is_file(images) ? labels : images, images, labels);
}

Dataset read(const std::string& argument, Range range, const std::optional<Shape>& expected,
             const LoadOptions& options) {
  const std::size_t colon = argument.find(':');
  const std::string scheme = argument.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : argument.substr(colon + 1);
  if (rest.empty()) fail_input("\"{}\" is not a data argument; the known ones are {}", argument, kSchemes);
  if (scheme == "cifar10") return read_cifar(rest, 1, 10, range);
  if (scheme == "cifar100") return read_cifar(rest, 2, 100, range);
  if (scheme == "mnist") return read_idx(rest, "t10k", range);
  if (scheme == "mnist-train") return read_idx(rest, "train", range);
  if (scheme == "images") {
    const int channels = expected && (expected->c == 1 || expected->c == 3) ? expected->c : 0;
    return read_pictures(rest, channels, range, options);
  }
  if (scheme == "npy") return read_arrays(rest, range, expected, options.form);
  fail_input("unknown data source \"{}\" in \"{}\"; the known ones are {}", scheme, argument, kSchemes);
}

}  // namespace

Selection select(Range range, std::uint64_t total, std::uint64_t image_bytes, const std::string& source) {
  if (range.begin < 0 || range.end <= range.begin) {
    fail_input("the range {}:{} selects no images; give A:B with 0 <= A < B", range.begin, range.end);
  }
  const auto begin = static_cast<std::uint64_t>(range.begin);
  if (begin >= total)
    fail_input("{} has {} images, so the range from {} on selects none", source, total, begin);
  const std::uint64_t count = std::min(total, static_cast<std::uint64_t>(range.end)) - begin;
  if (count > kMaxPixelBytes / image_bytes) {
    fail_input("{} images of {} bytes from {} are more than {} MiB; select fewer with --first or --range",
               count, image_bytes, source, kMaxPixelBytes >> 20);
  }
  return {begin, count};
}

Dataset load_dataset(const std::string& argument, Range range, std::optional<Shape> expected,
                     const LoadOptions& options) {
  Dataset data = read(argument, range, expected, options);
  data.source = argument;
  data.first = range.begin;
  if (expected && !(data.shape == *expected)) {
    const bool takes_vectors = expected->h == 1 && expected->w == 1 && expected->size() == data.shape.size();
    if (!takes_vectors) {
      const bool pictures = argument.starts_with("images:"), channels = data.shape.c == expected->c;
      fail_input(
          "{} holds images of shape {}, but the network takes {} (channels x height x width); {}", argument,
          to_string(data.shape), to_string(*expected),
          pictures && channels
              ? fmt::format(
                    "--resize {0}x{1} scales them, --resize {2} --crop {0}x{1} keeps their proportions",
                    expected->h, expected->w, std::max(expected->h, expected->w))
              : "convert the images or choose another source");
    }
    data.shape = *expected;
  }
  return data;
}

}  // namespace ap::nn
