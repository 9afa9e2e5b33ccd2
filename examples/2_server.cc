// Example 2, the server: compiles a network into a directory and serves it until its standard input ends.
// Example 2_client.cc is the other process.
//
// usage: 2_server MODEL.onnx IMAGES DIRECTORY [ADDRESS]
#include <autoprivacy/autoprivacy.h>

#include <fstream>
#include <iostream>
#include <limits>
#include <mutex>

namespace ap = autoprivacy;

namespace {

void serve(const std::string& model, const std::string& images, const std::filesystem::path& directory,
           const std::string& address) {
  // client.apm is what clients get; server.apm holds the weights and stays here.
  ap::compile(model, ap::load_images("mnist-train:" + images, 0, 128), "scale=255 mean=0.2860 std=0.3530")
      .write(directory);

  // Inferences are counted in server.apm.ledger, over restarts too: the weights stay private for so many of
  // them.
  std::mutex mutex;
  ap::ServerOptions options;
  options.listen = address;
  options.log = [&](ap::LogLevel level, const std::string& sentence) {
    const std::lock_guard lock(mutex);
    std::cerr << (level == ap::LogLevel::error ? "error: " : "") << sentence << "\n";
  };
  ap::Server server(directory / "server.apm", options);
  server.start();

  // Clients trust this certificate. It reaches them on a way that nobody else can change, such as with the
  // program.
  std::ofstream(directory / "certificate.pem") << server.certificate_pem();
  std::cout << server.url() << std::endl;

  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  server.stop();
  std::cout << "answered " << server.inferences() << " inferences" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::cerr << "usage: 2_server MODEL.onnx IMAGES DIRECTORY [ADDRESS]\n";
    return 2;
  }
  try {
    serve(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : "127.0.0.1:0");
    return 0;
  } catch (const ap::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
