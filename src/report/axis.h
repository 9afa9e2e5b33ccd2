// A linear or logarithmic axis: its range, and ticks at round numbers.
#pragma once

#include <string>
#include <vector>

namespace ap::report {

enum class Scale {
  linear,
  decimal,  ///< logarithmic, ticks at powers of ten, or 1, 2, 5 times them
  binary,   ///< logarithmic, ticks at powers of two
  index,    ///< linear, ends at its first and last value, ticks at integers
};

struct Tick {
  double value = 0;
  std::string label;  ///< needs no escape
};

/// The range that shows all of the values that were included, rounded outwards to ticks.
class Axis {
 public:
  Axis(std::string title, Scale scale) : title_(std::move(title)), scale_(scale) {}

  /// Values that are not finite, and on logarithmic axes those that are not positive, are left out.
  /// Returns whether the value can be shown.
  bool include(double value);
  /// Chooses range and about `count` ticks. Call once, after all of include().
  void finish(int count);

  const std::string& title() const { return title_; }
  const std::vector<Tick>& ticks() const { return ticks_; }
  bool shows(double value) const;
  /// 0 at the lower end, 1 at the upper one. The value must be one that shows() accepts.
  double place(double value) const;

 private:
  double mapped(double value) const;
  bool logarithmic() const { return scale_ == Scale::decimal || scale_ == Scale::binary; }
  void finish_linear(int count);
  void finish_index(int count);
  void finish_binary(int count);
  void finish_decimal();

  std::string title_;
  Scale scale_;
  bool any_ = false;
  double least_ = 0, most_ = 0;  ///< of what was included
  double low_ = 0, high_ = 1;    ///< mapped ends
  std::vector<Tick> ticks_;
};

}  // namespace ap::report
