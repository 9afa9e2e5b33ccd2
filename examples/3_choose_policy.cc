// Example 3: what exactness costs. Compiles a network twice, once so that every private label is the clear
// one, once with as much error as the accuracy bears, and compares what is predicted and how secure and
// accurate the results are.
//
// usage: 3_choose_policy MODEL.onnx IMAGES
#include <autoprivacy/autoprivacy.h>

#include <cstdio>
#include <iostream>

namespace ap = autoprivacy;

namespace {

void compare(const std::string& model, const std::string& folder) {
  const ap::Images calibration = ap::load_images("mnist-train:" + folder, 0, 128);
  const ap::Images held_out = ap::load_images("mnist:" + folder, 0, 200);
  std::printf("%-8s %10s %10s %8s %10s %12s %10s\n", "policy", "offline", "online", "MB", "security", "top-1",
              "same label");
  for (const char* policy : {"exact", "budget"}) {
    ap::CompileOptions options;
    options.policy = policy;
    if (options.policy == "budget") options.max_accuracy_loss = 0.005;  // half a per cent
    const ap::Compiled compiled =
        ap::compile(model, calibration, "scale=255 mean=0.2860 std=0.3530", options);

    // Both are computed anew, whatever compile has said: from the parameters, and on images that it has not
    // seen.
    const ap::Audit audit = ap::audit(compiled.client_package);
    const ap::Simulation simulation = ap::simulate(compiled.server_package, held_out);
    const double bytes = compiled.offline.bytes_up + compiled.offline.bytes_down + compiled.online.bytes_up +
                         compiled.online.bytes_down;
    std::printf("%-8s %8.1fms %8.1fms %8.2f %6.0f bits %10.1f %% %8.1f %%\n", policy,
                1e3 * compiled.offline.seconds, 1e3 * compiled.online.seconds, bytes / 1e6,
                audit.min_lambda_bits, 100 * simulation.top1.value_or(0), 100 * simulation.agreement);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: 3_choose_policy MODEL.onnx IMAGES\n";
    return 2;
  }
  try {
    compare(argv[1], argv[2]);
    return 0;
  } catch (const ap::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
