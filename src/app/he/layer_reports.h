// What each layer of a compiled network takes, for people and for the plan's prediction.
#pragma once

#include <vector>

#include "app/he/compile.h"

namespace ap::app::he {

std::vector<LayerReport> layer_reports(const he_only::Structure& structure,
                                       const he_only::ShapedNetwork& shaped, const he_only::Choices& choices,
                                       const he_only::Program& program);

}  // namespace ap::app::he
