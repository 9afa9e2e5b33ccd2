// A small chart as inline SVG, drawn for about 440 CSS pixels so that it needs no scaling on a phone. Colours
// come from the page's style sheet (style.cc); values that an axis cannot show are left out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/axis.h"

namespace ap::report {

struct XY {
  double x = 0, y = 0;
  std::string hint;                 ///< shown on hover and read aloud; text
  std::optional<double> low, high;  ///< interval of y
};

class Chart {
 public:
  /// `description` says in a sentence what is to be seen, for people who cannot see it.
  Chart(std::string title, std::string description, Axis x, Axis y);

  struct Look {
    int style = 0;       ///< of policy_style.h
    bool line = true;    ///< joins the points
    bool steps = false;  ///< joins them by steps: right, then down or up
    bool markers = true;
    bool faint = false;
    std::string label{};  ///< beside the last point
  };
  void series(std::vector<XY> points, Look look);
  /// Bars side by side from 0, `width` wide in x, centred at the points.
  void bars(std::vector<XY> points, double width, int style);
  /// A horizontal line across the chart.
  void level(double y, std::string label);

  bool empty() const { return series_.empty(); }
  /// <figure> with the title as its caption.
  std::string html();

 private:
  struct Series {
    std::vector<XY> points;
    Look look;
    double bar_width = 0;
  };
  struct Level {
    double y = 0;
    std::string label;
  };
  struct Place {
    double x = 0, y = 0;
  };
  struct Label {
    double x = 0, y = 0, wanted = 0;
    int style = 0;
    std::string text;
  };
  Place place(double x, double y) const;
  std::string frame() const;
  std::string drawn(const Series& series, std::vector<Label>& labels) const;
  std::string bars_drawn(const Series& series) const;
  std::string labels_drawn(std::vector<Label> labels) const;

  std::string title_, description_;
  Axis x_, y_;
  std::vector<Series> series_;
  std::vector<Level> levels_;
  double left_ = 58;   ///< margin, as wide as the ticks need
  double right_ = 18;  ///< margin, wider if there are labels
};

/// Names and looks of the policies, for above a group of charts.
std::string legend(const std::vector<std::string>& policies);

}  // namespace ap::report
