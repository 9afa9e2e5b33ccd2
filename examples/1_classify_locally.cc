// Example 1: everything in one process. Compiles a network, serves it on this machine, and classifies ten
// images that the server never sees.
//
// usage: 1_classify_locally MODEL.onnx IMAGES   (models/fashion_mnist.onnx /usr/share/datasets/fashion-mnist)
#include <autoprivacy/autoprivacy.h>

#include <cstdio>
#include <iostream>

namespace ap = autoprivacy;

namespace {

void classify_locally(const std::string& model, const std::string& folder) {
  // Compiling needs typical images and how their pixels become numbers, as models/README.md says of this
  // network. All cryptographic parameters are chosen here.
  ap::CompileOptions wanted;
  wanted.labels = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                   "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  const ap::Compiled compiled = ap::compile(model, ap::load_images("mnist-train:" + folder, 0, 128),
                                            "scale=255 mean=0.2860 std=0.3530", wanted);
  std::printf("compiled in %.1f s: every layer has %.0f bits of security or more\n", compiled.seconds,
              compiled.min_lambda_bits);

  // The server holds the weights. Inferences are counted in a file (examples 2); here a restart may forget
  // them, because the only client is the owner of the network.
  ap::ServerOptions options;
  options.count_in_memory = true;
  ap::Server server(compiled.server_package, options);
  server.start();

  // The client holds what is public, and trusts this server's certificate alone.
  ap::Client client(compiled.client_package);
  ap::ConnectOptions trust;
  trust.trust = server.fingerprint();
  client.connect(server.url(), trust);

  const ap::Images images = ap::load_images("mnist:" + folder, 0, 10);
  std::size_t right = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ap::Classification answer = client.classify(images.image(i));
    right += answer.label == images.labels[i] ? 1 : 0;
    std::printf("image %zu: %-11s  %.3f s, %.2f MB\n", i, answer.name.c_str(),
                answer.report.offline.seconds + answer.report.online.seconds,
                static_cast<double>(answer.report.offline.bytes_up + answer.report.offline.bytes_down +
                                    answer.report.online.bytes_up + answer.report.online.bytes_down) /
                    1e6);
  }
  std::printf("%zu of %zu are right\n", right, images.size());
  client.close();
  server.stop();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: 1_classify_locally MODEL.onnx IMAGES\n";
    return 2;
  }
  try {
    classify_locally(argv[1], argv[2]);
    return 0;
  } catch (const ap::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
