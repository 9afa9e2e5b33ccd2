// What decode_picture is made of.
#pragma once

#include "nn/data/picture.h"

namespace ap::nn {

/// As decode_picture, of a file with the signature of the format, but not turned; `orientation` becomes the EXIF
/// orientation, 1 to 8.
Picture decode_png(ByteView file, const std::string& name, int& orientation);
Picture decode_jpeg(ByteView file, const std::string& name, int& orientation);

/// @throws Error(input) if a picture has no pixels, or too many.
void check_picture_size(std::uint64_t width, std::uint64_t height, const std::string& name);

/// The orientation in EXIF data (a TIFF header and what follows it): 1, upright, if it has none or is damaged.
int exif_orientation(ByteView tiff);

}  // namespace ap::nn
