// The kernels of each instruction set; call them only where cpu() has it.
#pragma once

#include "nn/execute/executor_kernels.h"

namespace ap::nn {

extern const ExecutorKernels kAvx2Kernels, kAvx512Kernels, kVnniKernels;

}  // namespace ap::nn
