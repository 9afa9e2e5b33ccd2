// How a picture of any size becomes one of the network's: scaled, then cut to its middle, as torchvision's Resize and
// CenterCrop do with pictures of PIL, to the last bit.
#pragma once

#include <string>
#include <string_view>

#include "nn/data/picture.h"

namespace ap::nn {

/// Height and width in pixels; 0 x 0: none.
struct Extent {
  int height = 0, width = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// "resize=256 crop=224x224", either part, or nothing: pictures stay as they are.
///
///   resize=S      the shorter side becomes S, the longer one floor(S * longer / shorter)
///   resize=HxW    exactly that, whatever becomes of the proportions
///   crop=S, HxW   the middle, from row round((height - H) / 2), a half to the even number, and the column likewise
///
/// Scaling is bilinear: an output pixel's centre (i + 1/2) * in / out is the middle of a triangle of half-width
/// max(1, in / out), whose values at the centres of the input pixels, divided by their sum, are the weights. First along
/// rows, rounded to 8 bits, then along columns; weights are rounded to 22 bits behind the point.
struct Framing {
  int shorter = 0;  ///< 0: not this way
  Extent resize, crop;

  bool empty() const { return shorter == 0 && resize == Extent{} && crop == Extent{}; }
  /// @throws Error(input) for another word, a part given twice or a side outside 1 to kMaxPictureSide.
  static Framing parse(std::string_view text);
  /// The inverse of parse.
  std::string to_string() const;
  /// The size of a picture of this size afterwards.
  /// @throws Error(input), naming `name`, if it is smaller than the crop or becomes too large.
  Extent size_of(Extent picture, const std::string& name) const;
  /// @throws as size_of.
  Picture apply(Picture picture, const std::string& name) const;
  friend bool operator==(const Framing&, const Framing&) = default;
};

/// "224" or "224x112" of an option or a part of the text above, named `what`; a single number stands for both sides.
/// @throws Error(input)
Extent parse_extent(std::string_view text, std::string_view what);

/// Scaled to `size`, as above.
Picture scaled(const Picture& picture, Extent size);

}  // namespace ap::nn
