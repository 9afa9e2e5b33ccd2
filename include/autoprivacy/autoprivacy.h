// AutoPrivacy: private classification with a neural network that somebody else owns. The owner of the network
// never sees the image or the answer, the owner of the image never sees the weights.
//
//   compile.h    compile()    an ONNX file and sample images -> server.apm and client.apm
//   server.h     Server       serves server.apm
//   client.h     Client       classifies images with client.apm and a server
//   prepare_ahead.h  PrepareAhead  keeps inferences prepared while there is nothing else to do
//   audit.h      audit()      how secure a package is
//   simulate.h   simulate()   how accurate a package is
//   images.h     Images       images as numbers, and files of them
//   error.h      Error        what every function throws
//
// Nothing is printed, no file is read or written that is not named by an argument or its documentation, and
// there is no global state. Everything lies in the namespace autoprivacy; other names are not for use.
// Examples: examples/README.md.
#pragma once

#include "autoprivacy/audit.h"
#include "autoprivacy/client.h"
#include "autoprivacy/compile.h"
#include "autoprivacy/error.h"
#include "autoprivacy/images.h"
#include "autoprivacy/prepare_ahead.h"
#include "autoprivacy/progress.h"
#include "autoprivacy/server.h"
#include "autoprivacy/simulate.h"
#include "autoprivacy/version.h"
