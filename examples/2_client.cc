// Example 2, the client: classifies images by the server of 2_server.cc, which may be another machine.
//
// usage: 2_client URL CLIENT.apm CERTIFICATE.pem IMAGES
#include <autoprivacy/autoprivacy.h>

#include <cstdio>
#include <iostream>

namespace ap = autoprivacy;

namespace {

void classify(const std::string& url, const std::string& package, const std::string& certificate,
              const std::string& images) {
  // Refuses a package whose parameters have less than 128 bits of security, before anything is sent.
  ap::Client client(package);

  ap::ConnectOptions options;
  options.trust = certificate;
  options.deadline = std::chrono::seconds(30);  // longest wait for the server
  client.connect(url, options);

  // Several images at once, with a word on how far it is.
  const ap::Images data = ap::load_images("mnist:" + images, 0, 5);
  const auto answers = client.classify(data, [](const ap::Progress& progress) {
    if (progress.last)
      std::printf("%s: %llu images\n", progress.task.c_str(), static_cast<unsigned long long>(progress.done));
  });
  client.close();

  for (std::size_t i = 0; i < answers.size(); ++i) {
    // Without class names in the package, a class is named by its number. The scores are the network's own.
    const ap::Classification& answer = answers[i];
    std::printf("image %zu: class %s, score %.2f, right is %d\n", i, answer.name.c_str(),
                answer.label ? answer.scores[static_cast<std::size_t>(*answer.label)] : 0.0, data.labels[i]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: 2_client URL CLIENT.apm CERTIFICATE.pem IMAGES\n";
    return 2;
  }
  try {
    classify(argv[1], argv[2], argv[3], argv[4]);
    return 0;
  } catch (const ap::Error& error) {
    // 3: the server or the network; 4: refused for security, such as another certificate.
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
