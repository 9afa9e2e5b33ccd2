// The kernels of each instruction set; call them only where cpu() has it.
#pragma once

#include "analysis/approximation/clear_kernels.h"

namespace ap::approximation {

extern const ClearKernels kAvx2Clear, kAvx512Clear;

}  // namespace ap::approximation
