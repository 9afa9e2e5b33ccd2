// How pixels become the network's input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ap::nn {

/// What a pixel is: one of 8 bits, or any other number.
enum class Pixel : std::uint8_t { byte, number };

/// input = (pixel / scale - mean[c]) / std[c]. Lists have one entry for all channels or one per channel.
struct Normalization {
  std::optional<double>
      scale;  ///< absent: 255 of 8-bit pixels; 1 of other numbers, which are taken as they are
  std::vector<double> mean = {0};
  std::vector<double> std = {1};

  /// Parses "scale=255 mean=a,b,c std=a,b,c"; what is left out keeps its default, an empty string all of
  /// them.
  /// @throws Error(input) for unknown or repeated keys, numbers that are not finite, scale or std not
  /// positive.
  static Normalization parse(std::string_view text);
  /// The inverse of parse, without loss.
  std::string to_string() const;
  /// @throws Error(input) unless mean and std fit `channels` channels and satisfy the rules of parse.
  void check(int channels) const;
  double scale_of(Pixel kind) const { return scale.value_or(kind == Pixel::byte ? 255 : 1); }
  /// The input value of a pixel of channel c.
  double apply(double pixel, int c, Pixel kind) const {
    const auto at = [&](const std::vector<double>& list) {
      return list[list.size() == 1 ? 0 : static_cast<std::size_t>(c)];
    };
    return (pixel / scale_of(kind) - at(mean)) / at(std);
  }
  friend bool operator==(const Normalization&, const Normalization&) = default;
};

}  // namespace ap::nn
