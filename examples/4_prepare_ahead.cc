// Example 4: most of the work needs no image. Prepares inferences before the images arrive: in the session
// that will use them, and in a store that outlives it.
//
// usage: 4_prepare_ahead MODEL.onnx IMAGES DIRECTORY
#include <autoprivacy/autoprivacy.h>

#include <cstdio>
#include <iostream>

namespace ap = autoprivacy;

namespace {

void show(const char* what, const ap::Classification& answer) {
  std::printf("%-32s class %s, %.1f ms with the image, %s\n", what, answer.name.c_str(),
              1e3 * answer.report.online.seconds,
              answer.report.from_store ? "prepared in an earlier session" : "prepared in this session");
}

void prepare_ahead(const std::string& model, const std::string& folder,
                   const std::filesystem::path& directory) {
  const ap::Compiled compiled = ap::compile(model, ap::load_images("mnist-train:" + folder, 0, 128),
                                            "scale=255 mean=0.2860 std=0.3530");
  compiled.write(directory);
  ap::ServerOptions options;
  options.store = directory / "server-store";  // what clients prepare for later sessions
  ap::Server server(directory / "server.apm", options);
  server.start();

  const ap::Images images = ap::load_images("mnist:" + folder, 0, 4);
  ap::ConnectOptions connect;
  connect.trust = server.fingerprint();
  connect.store = directory / "client-store";
  connect.notice = [](const std::string& sentence) { std::cerr << sentence << "\n"; };

  ap::Client client(directory / "client.apm");
  client.connect(server.url(), connect);
  show("nothing prepared:", client.classify(images.image(0)));

  client.prepare(2);
  std::printf("%zu inferences wait in this session\n", client.prepared());
  show("prepared ahead:", client.classify(images.image(1)));
  show("prepared ahead:", client.classify(images.image(2)));

  // Each half is used once, whatever crashes: it is taken out of its store before anything is sent.
  std::printf("%zu inferences are stored\n", client.store(1));
  client.close();

  client.connect(server.url(), connect);
  show("in a later session:", client.classify(images.image(3)));
  client.close();
  server.stop();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: 4_prepare_ahead MODEL.onnx IMAGES DIRECTORY\n";
    return 2;
  }
  try {
    prepare_ahead(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const ap::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
