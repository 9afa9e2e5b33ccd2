// How pixels become the network's input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ap::nn {

/// input = (pixel / scale - mean[c]) / std[c]. Lists have one entry for all channels or one per channel.
struct Normalization {
  double scale = 255;
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
  /// The input value of a pixel of channel c.
  double apply(double pixel, int c) const {
    const auto at = [&](const std::vector<double>& list) {
      return list[list.size() == 1 ? 0 : static_cast<std::size_t>(c)];
    };
    return (pixel / scale - at(mean)) / at(std);
  }
  friend bool operator==(const Normalization&, const Normalization&) = default;
};

}  // namespace ap::nn
