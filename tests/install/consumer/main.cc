// Compiles a network, serves it on the loopback interface, classifies images over the real socket, and
// compares with the clear network. Ends with 0 if all is as it should be; else says what is not.
//
// usage: consumer MODEL.onnx IMAGES
#include <autoprivacy/autoprivacy.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

namespace ap = autoprivacy;

namespace {

int failures = 0;

void expect(bool good, const std::string& what) {
  if (good) return;
  std::printf("wrong: %s\n", what.c_str());
  ++failures;
}

template <typename Work>
void expect_error(ap::ErrorCode code, const std::string& what, const Work& work) {
  try {
    work();
    expect(false, what + " is accepted");
  } catch (const ap::Error& error) {
    expect(error.code() == code, what + " gives: " + error.what());
  }
}

void run(const std::string& model, const std::string& folder) {
  expect(std::strcmp(ap::version(), AUTOPRIVACY_VERSION) == 0, "the version of the library");
  const ap::Compiled compiled =
      ap::compile(model, ap::load_images("mnist-train:" + folder, 0, 64), "scale=255 mean=0.2860 std=0.3530");
  expect(compiled.min_lambda_bits >= 128, "the security of the package");
  expect(compiled.layers.size() == 7 && compiled.layers[0].linear && !compiled.layers[1].linear,
         "the layers: four linear ones and three activations");
  expect(ap::audit(compiled.client_package).package_id == compiled.package_id, "the package of the audit");

  ap::ServerOptions options;
  options.count_in_memory = true;
  ap::Server server(compiled.server_package, options);
  server.start();
  ap::Client client(compiled.client_package);
  expect(client.input_shape() == ap::Shape{1, 28, 28} && client.classes() == 10, "the shape of the network");
  ap::ConnectOptions trust;
  trust.trust = server.fingerprint();
  client.connect(server.url(), trust);

  const ap::Images images = ap::load_images("mnist:" + folder, 0, 3);
  const auto clear = ap::classify_in_clear(compiled.server_package, images);
  const auto answers = client.classify(images);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::string image = "image " + std::to_string(i);
    expect(answers[i].label == clear[i].label, image + ": the label");
    expect(answers[i].scores.size() == 10 && clear[i].scores.size() == 10, image + ": the number of scores");
    double largest = 0;
    for (std::size_t c = 0; c < answers[i].scores.size(); ++c)
      largest = std::fmax(largest, std::fabs(answers[i].scores[c] - clear[i].scores[c]));
    std::printf("%s: class %d, scores differ by at most %.3f\n", image.c_str(), answers[i].label.value_or(-1),
                largest);
    // Activations may deviate by one unit of their last bit.
    expect(largest < 0.1, image + ": the scores");
    expect(answers[i].report.online.bytes_up > 0 && answers[i].report.offline.seconds > 0,
           image + ": the cost");
  }
  // The same pixels one by one.
  expect(client.classify(images.image(1)).label == clear[1].label, "the label of a single image");
  expect(server.inferences() == 4, "the number of inferences");

  expect_error(ap::ErrorCode::input, "an image of another size",
               [&] { client.classify(images.image(0).first(9)); });
  expect_error(ap::ErrorCode::input, "a server's package at a client",
               [&] { ap::Client bad(compiled.server_package); });
  ap::ConnectOptions other;
  other.trust = std::string(64, '0');
  ap::Client stranger(compiled.client_package);
  expect_error(ap::ErrorCode::security, "another certificate",
               [&] { stranger.connect(server.url(), other); });
  client.close();
  server.stop();
  expect_error(ap::ErrorCode::peer, "a server that has gone", [&] { client.connect(server.url(), trust); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    run(argv[1], argv[2]);
  } catch (const ap::Error& error) {
    std::printf("error %d: %s\n", static_cast<int>(error.code()), error.what());
    return 1;
  }
  return failures == 0 ? 0 : 1;
}
