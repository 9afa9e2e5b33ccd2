#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html.h"
#include "report/policy_style.h"

namespace ap::report {
namespace {

constexpr double kWidth = 440, kHeight = 270, kTop = 12, kBottom = 44;
constexpr double kLineHeight = 13, kLabelGap = 7, kCharacter = 8, kWidestLabel = 120;
// Markers of a line; more would hide it. Those of different policies are set apart.
constexpr std::size_t kMostMarkers = 14;

}  // namespace

Chart::Chart(std::string title, std::string description, Axis x, Axis y)
    : title_(std::move(title)), description_(std::move(description)), x_(std::move(x)), y_(std::move(y)) {}

void Chart::series(std::vector<XY> points, Look look) {
  std::erase_if(points, [&](const XY& p) { return !x_.shows(p.x) || !y_.shows(p.y); });
  if (points.empty()) return;
  for (const XY& p : points) {
    x_.include(p.x);
    y_.include(p.y);
    if (p.low) y_.include(*p.low);
    if (p.high) y_.include(*p.high);
  }
  const double wide = std::min(kWidestLabel, static_cast<double>(look.label.size()) * kCharacter);
  if (!look.label.empty()) right_ = std::max(right_, wide + kLabelGap + 6);
  series_.push_back({std::move(points), std::move(look)});
}

void Chart::bars(std::vector<XY> points, double width, int style) {
  if (points.empty()) return;
  y_.include(0);
  for (const XY& p : points) {
    x_.include(p.x - width / 2);
    x_.include(p.x + width / 2);
    y_.include(p.y);
  }
  Look look;
  look.style = style;
  series_.push_back({std::move(points), std::move(look), width});
}

void Chart::level(double y, std::string label) {
  if (y_.include(y)) levels_.push_back({y, std::move(label)});
}

Chart::Place Chart::place(double x, double y) const {
  return {left_ + x_.place(x) * (kWidth - left_ - right_),
          kHeight - kBottom - y_.place(y) * (kHeight - kBottom - kTop)};
}

std::string Chart::frame() const {
  const double bottom = kHeight - kBottom, end = kWidth - right_;
  std::string out;
  for (const Tick& tick : y_.ticks()) {
    const double y = bottom - y_.place(tick.value) * (bottom - kTop);
    out += fmt::format(
        "<path class=\"grid\" d=\"M{} {:.1f}H{:.1f}\"/><text x=\"{}\" y=\"{:.1f}\" class=\"end\">{}</text>",
        left_, y, end, left_ - 6, y + 4, tick.label);
  }
  for (const Tick& tick : x_.ticks()) {
    const double x = left_ + x_.place(tick.value) * (end - left_);
    out += fmt::format(
        "<path class=\"tick\" d=\"M{0:.1f} {1}v4\"/><text x=\"{0:.1f}\" y=\"{2}\" class=\"mid\">{3}</text>",
        x, bottom, bottom + 17, tick.label);
  }
  out += fmt::format("<path class=\"axis\" d=\"M{} {}V{}H{:.1f}\"/>", left_, kTop, bottom, end);
  out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" class=\"mid name\">{}</text>", (left_ + end) / 2,
                     kHeight - 8, escape(x_.title()));
  out += fmt::format("<text transform=\"translate(13 {:.1f})rotate(-90)\" class=\"mid name\">{}</text>",
                     (kTop + bottom) / 2, escape(y_.title()));
  return out;
}

std::string Chart::drawn(const Series& series, std::vector<Label>& labels) const {
  const Look& look = series.look;
  std::string path, marks;
  const std::size_t step = look.line ? (series.points.size() + kMostMarkers - 1) / kMostMarkers : 1;
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    const XY& p = series.points[i];
    const Place at = place(p.x, p.y);
    if (i == 0) {
      path += fmt::format("M{:.1f} {:.1f}", at.x, at.y);
    } else {
      path +=
          look.steps ? fmt::format("H{:.1f}V{:.1f}", at.x, at.y) : fmt::format("L{:.1f} {:.1f}", at.x, at.y);
    }
    if (p.low && p.high) {
      marks += fmt::format(
          "<path class=\"whisker\" d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {1:.1f}h6M{3:.1f} {2:.1f}h6\"/>",
          at.x, place(p.x, *p.low).y, place(p.x, *p.high).y, at.x - 3);
    }
    if (!look.markers || (i + static_cast<std::size_t>(look.style)) % step != 0) continue;
    const double radius = look.line ? 3.0 : 3.6;
    const std::string d = marker_path(look.style, at.x, at.y, radius);
    marks += p.hint.empty()
                 ? fmt::format("<path class=\"mark\" d=\"{}\"/>", d)
                 : fmt::format("<path class=\"mark\" d=\"{}\"><title>{}</title></path>", d, escape(p.hint));
  }
  if (!look.label.empty()) {
    const Place at = place(series.points.back().x, series.points.back().y);
    labels.push_back({look.line ? kWidth - right_ : at.x, at.y, at.y, look.style, look.label});
  }
  std::string out = fmt::format("<g class=\"c{}{}\">", look.style, look.faint ? " faint" : "");
  if (look.line && series.points.size() > 1) out += fmt::format("<path class=\"line\" d=\"{}\"/>", path);
  return out + marks + "</g>";
}

std::string Chart::bars_drawn(const Series& series) const {
  std::string out = fmt::format("<g class=\"c{}\">", series.look.style);
  for (const XY& p : series.points) {
    const Place a = place(p.x - series.bar_width / 2, p.y), b = place(p.x + series.bar_width / 2, 0);
    out +=
        fmt::format("<path class=\"bar\" d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}Z\"><title>{}</title></path>",
                    a.x, b.y, a.y, b.x, b.y, escape(p.hint));
  }
  return out + "</g>";
}

// Labels that would lie on each other are pushed apart; a thin line leads from each to its series.
std::string Chart::labels_drawn(std::vector<Label> labels) const {
  std::ranges::stable_sort(labels, {}, &Label::wanted);
  const double low = kTop + 4, high = kHeight - kBottom - 2;
  const auto free = [&](std::size_t i, double y) {
    if (y < low || y > high) return false;
    for (std::size_t j = 0; j < i; ++j) {
      const double wide =
          kCharacter * static_cast<double>(std::max(labels[i].text.size(), labels[j].text.size()));
      if (std::abs(labels[j].y - y) < kLineHeight - 0.01 && std::abs(labels[j].x - labels[i].x) < wide)
        return false;
    }
    return true;
  };
  // Those at the ends of lines stand in one column and keep the order of the lines.
  const bool column = std::ranges::all_of(labels, [&](const Label& l) { return l.x == labels.front().x; });
  if (column) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i].y = std::max(labels[i].wanted, i == 0 ? low : labels[i - 1].y + kLineHeight);
    }
    for (std::size_t i = labels.size(); i-- > 0;) {
      labels[i].y = std::min(labels[i].y, i + 1 == labels.size() ? high : labels[i + 1].y - kLineHeight);
    }
  }
  for (std::size_t i = 0; i < labels.size() && !column; ++i) {
    labels[i].y = std::clamp(labels[i].wanted, low, high);
    for (int distance = 0; distance <= 40; ++distance) {
      // Below first, then above, in steps of half a line.
      const double shift = (distance + 1) / 2 * kLineHeight / 2;
      const double y = labels[i].y + (distance % 2 == 1 ? shift : -shift);
      if (!free(i, y)) continue;
      labels[i].y = y;
      break;
    }
  }
  std::string out;
  for (const Label& label : labels) {
    out += fmt::format(
        "<g class=\"c{0}\"><path class=\"lead\" d=\"M{1:.1f} {2:.1f}L{3:.1f} {4:.1f}\"/>"
        "<text class=\"label\" x=\"{5:.1f}\" y=\"{6:.1f}\">{7}</text></g>",
        label.style, label.x, label.wanted, label.x + kLabelGap - 1, label.y, label.x + kLabelGap,
        label.y + 4, escape(label.text, 24));
  }
  return out;
}

std::string Chart::html() {
  x_.finish(6);
  y_.finish(5);
  std::size_t widest = 0;
  for (const Tick& tick : y_.ticks()) widest = std::max(widest, tick.label.size());
  left_ = 32 + 7.8 * static_cast<double>(widest);
  std::string body = frame();
  std::vector<Label> labels;
  for (const Series& series : series_) {
    body += series.bar_width > 0 ? bars_drawn(series) : drawn(series, labels);
  }
  for (const Level& level : levels_) {
    const double y = kHeight - kBottom - y_.place(level.y) * (kHeight - kBottom - kTop);
    body += fmt::format(
        "<path class=\"level\" d=\"M{} {:.1f}H{:.1f}\"/><text class=\"note\" x=\"{}\" y=\"{:.1f}\">{}</text>",
        left_, y, kWidth - right_, left_ + 6, y - 5 < kTop + 6 ? y + 13 : y - 5, escape(level.label));
  }
  body += labels_drawn(std::move(labels));
  return fmt::format(
      "<figure><figcaption>{0}</figcaption><svg viewBox=\"0 0 {1} {2}\" role=\"img\" "
      "aria-label=\"{0}. {3}\">{4}</svg></figure>\n",
      escape(title_), kWidth, kHeight, escape(description_, 600), body);
}

std::string legend(const std::vector<std::string>& policies) {
  std::string out = "<ul class=\"legend\">";
  for (const std::string& policy : policies) {
    const int style = policy_style(policy);
    out += fmt::format(
        "<li><svg viewBox=\"0 0 30 12\" width=\"30\" height=\"12\" aria-hidden=\"true\"><g class=\"c{}\">"
        "<path class=\"line\" d=\"M1 6H29\"/><path class=\"mark\" d=\"{}\"/></g></svg>{}</li>",
        style, marker_path(style, 15, 6, 3.4), escape(policy));
  }
  return out + "</ul>\n";
}

}  // namespace ap::report
