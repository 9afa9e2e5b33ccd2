// The kernels of each instruction set; call them only where cpu() has it.
#pragma once

#include "analysis/noise/draw_kernels.h"

namespace ap::noise {

extern const DrawKernels kAvx2Draws, kAvx512Draws;

}  // namespace ap::noise
