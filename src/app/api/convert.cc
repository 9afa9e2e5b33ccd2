#include "app/api/convert.h"

#include "analysis/profile/profile_cache.h"
#include "base/error.h"

namespace ap::app {

autoprivacy::Shape shape_of(const nn::Shape& shape) { return {shape.c, shape.h, shape.w}; }

nn::Dataset dataset_of(const autoprivacy::Images& images, const nn::Shape& expected) {
  if (images.pixels.empty() == images.floats.empty()) {
    fail_input("there are {} images; give them either as pixels or as floats",
               images.pixels.empty() ? "no" : "two kinds of");
  }
  const std::size_t values = images.pixels.size() + images.floats.size();
  const nn::Shape shape{images.shape.channels, images.shape.height, images.shape.width};
  const bool fits =
      shape == expected || (expected.h == 1 && expected.w == 1 && expected.size() == shape.size());
  if (!fits) {
    fail_input("the images have the shape {}, but the network takes {}", to_string(shape),
               to_string(expected));
  }
  const auto size = static_cast<std::size_t>(expected.size());
  if (values % size != 0) {
    fail_input("there are {} pixels, which is no whole number of images of {}", values, size);
  }
  if (!images.labels.empty() && images.labels.size() != values / size) {
    fail_input("there are {} labels for {} images; give one for each, or none", images.labels.size(),
               values / size);
  }
  nn::Dataset data;
  data.source = "the images";
  data.shape = expected;
  data.bytes = images.pixels;
  data.floats = images.floats;
  data.labels = images.labels;
  return data;
}

ProgressSink sink_of(const autoprivacy::ProgressCallback& callback) {
  if (!callback) return {};
  return [callback](const ProgressReport& report) {
    callback({std::string(report.title), std::string(report.note), report.done, report.total, report.seconds,
              report.last});
  };
}

cost::Profile profile_of(const std::string& unit_costs) {
  return unit_costs.empty() ? cost::typical_profile() : cost::parse_profile(unit_costs);
}

}  // namespace ap::app
