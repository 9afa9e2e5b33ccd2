// Labels and the outputs of a network.
//
// Of several outputs the label is the position of the largest, from 0. A network with one output decides between two
// classes: 1 where it is above 0 (a sigmoid of it above 1/2), else 0.
#pragma once

#include <span>
#include <string>

#include "nn/data/dataset.h"

namespace ap::nn {

/// Classes that a network with so many outputs tells apart.
inline std::size_t classes_of(std::size_t outputs) { return outputs == 1 ? 2 : outputs; }

/// @throws Error(input), naming `source`, if a label is no class of a network with so many outputs. If they seem to be
/// counted from 1, it says so.
void check_labels(std::span<const int> labels, std::size_t outputs, const std::string& source);

/// Makes the labels those of a network with so many outputs and these class names (or none): the names of class folders
/// (data.classes) are looked up among them; without names, folders are counted in the order of theirs if there are as
/// many as classes. Labels of folders and of known data sets that cannot be the network's are dropped, with a note.
/// @throws Error(input) if some folders are classes of the network and others are not; as check_labels of other labels.
void fit_labels(Dataset& data, std::size_t outputs, std::span<const std::string> names);

}  // namespace ap::nn
