#include "nn/data/labels.h"

#include <algorithm>

#include "base/error.h"

namespace ap::nn {
namespace {

constexpr std::size_t kNamesInMessages = 10;

std::string some_of(std::span<const std::string> names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesInMessages); ++i)
    out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kNamesInMessages ? out + ", ..." : out;
}

std::string outputs_text(std::size_t outputs) {
  return outputs == 1 ? "1 output, which tells two classes apart, 0 and 1"
                      : fmt::format("{} outputs, the classes 0 to {}", outputs, outputs - 1);
}

void drop(Dataset& data, const std::string& reason) {
  data.labels.clear();
  data.notes.push_back(fmt::format("{}, so there is no accuracy", reason));
}

void fit_folders(Dataset& data, std::size_t outputs, std::span<const std::string> names) {
  const std::size_t classes = classes_of(outputs);
  std::vector<int> class_of;
  std::vector<std::string> strangers;
  for (const std::string& folder : data.classes) {
    const auto found = std::ranges::find(names, folder);
    if (found == names.end()) strangers.push_back(folder);
    class_of.push_back(static_cast<int>(found - names.begin()));
  }
  if (strangers.empty()) {
    for (int& label : data.labels) label = class_of[static_cast<std::size_t>(label)];
    return;
  }
  if (strangers.size() < data.classes.size()) {
    fail_input("{}: no class of the network is called {}; its classes are {}", data.source,
               some_of(strangers), some_of(names));
  }
  if (data.classes.size() == classes) {
    data.notes.push_back(
        fmt::format("labels by the folders of {} in the order of their names: 0 is {}, {} is {}", data.source,
                    data.classes.front(), classes - 1, data.classes.back()));
    return;
  }
  drop(
      data,
      fmt::format(
          "{} has {} folders, but the network has {}, and no folder has the name of one: the folders are not "
          "taken for labels",
          data.source, data.classes.size(), outputs_text(outputs)));
}

}  // namespace

void check_labels(std::span<const int> labels, std::size_t outputs, const std::string& source) {
  const auto classes = static_cast<int>(classes_of(outputs));
  const auto wrong = std::ranges::find_if(labels, [&](int label) { return label < 0 || label >= classes; });
  if (wrong == labels.end()) return;
  const auto [least, most] = std::ranges::minmax(labels);
  const bool from_one = least == 1 && most == classes;
  fail_input("{}: image {} has the label {}, but the network has {}; {}", source, wrong - labels.begin(),
             *wrong, outputs_text(outputs),
             from_one ? "the labels count from 1: save y - 1" : "give the labels of this network's classes");
}

void fit_labels(Dataset& data, std::size_t outputs, std::span<const std::string> names) {
  if (!data.has_labels()) return;
  if (!data.classes.empty()) return fit_folders(data, outputs, names);
  if (data.source.starts_with("npy:")) return check_labels(data.labels, outputs, data.source);
  const int most = *std::ranges::max_element(data.labels);
  if (most >= static_cast<int>(classes_of(outputs))) {
    drop(data, fmt::format("{} has labels up to {}, but the network has {}: they are another network's",
                           data.source, most, outputs_text(outputs)));
  }
}

}  // namespace ap::nn
