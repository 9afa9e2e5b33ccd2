// What the worker calls (web/client/session.js): the client of app/client.h, one session a program, by functions of C.
// Every call returns 0 or the exit status of the command line (base/error.h); what there is to say is then in ap_text(),
// JSON or a sentence.
#include <nlohmann/json.hpp>

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "app/audit.h"
#include "app/client.h"
#include "base/error.h"
#include "nn/data/picture.h"
#include "package/package.h"
#include "page_channel.h"

namespace ap::web {
namespace {

using Json = nlohmann::json;

/// Order matters: a session goes before its channel and its package.
struct Program {
  std::string text;
  std::optional<package::Package> package;
  std::unique_ptr<PageChannel> channel;
  std::unique_ptr<app::InferenceSession> session;
};

Program& program() {
  static Program instance;
  return instance;
}

template <typename Work>
int run(const Work& work) {
  std::string& text = program().text;
  try {
    text = work();
    return 0;
  } catch (const Error& error) {
    text = error.what();
    return error.exit_status();
  } catch (const std::bad_alloc&) {
    text = "the browser gave no more memory; close other pages, or use a smaller network";
  } catch (const std::exception& error) {
    text = error.what();
  }
  return static_cast<int>(ErrorCode::internal);
}

std::string describe(const package::Package& package) {
  const nn::Shape& input = package.network.input_shape();
  return Json{{"id", package::to_hex(package.id)},
              {"name", package.network.name},
              {"input", {{"channels", input.c}, {"height", input.h}, {"width", input.w}}},
              {"classes", package.network.output_shape().size()},
              {"labels", package.labels},
              {"framing", package.framing},
              {"reveals", package.plan.reveal == plan::Reveal::label ? "label" : "logits"}}
      .dump();
}

app::InferenceSession& session() {
  if (!program().session) fail_input("there is no session; connect first");
  return *program().session;
}

Json phase(const protocol::Cost& cost) {
  return {{"seconds", cost.seconds}, {"up", cost.bytes_up}, {"down", cost.bytes_down}};
}

/// An image of the network's size from a canvas's pixels, by the rules of pictures (nn/data/picture.h): alpha is left out.
nn::Dataset dataset_of(const package::Package& package, std::span<const std::uint8_t> rgba, int width,
                       int height) {
  const nn::Shape& shape = package.network.input_shape();
  if (shape.c != 1 && shape.c != 3) {
    fail_input("the network takes {} channels, which no picture has; only networks of 1 or 3 run on pictures",
               shape.c);
  }
  nn::Picture picture;
  picture.channels = 3;
  picture.height = height;
  picture.width = width;
  picture.pixels.reserve(rgba.size() / 4 * 3);
  for (std::size_t i = 0; i < rgba.size(); i += 4)
    picture.pixels.insert(picture.pixels.end(), &rgba[i], &rgba[i] + 3);
  nn::Picture framed = nn::with_channels(std::move(picture), shape.c);
  const auto framing = nn::Framing::parse(package.framing);
  if (!framing.empty()) framed = framing.apply(std::move(framed), "the picture");
  if (framed.height != shape.h || framed.width != shape.w) {
    fail_input("the picture has {}x{} pixels, the network takes {}x{}; scale it first", framed.height,
               framed.width, shape.h, shape.w);
  }
  nn::Dataset images;
  images.shape = shape;
  images.bytes.resize(framed.pixels.size());
  const auto channels = static_cast<std::size_t>(shape.c), plane = framed.pixels.size() / channels;
  for (std::size_t i = 0; i < framed.pixels.size(); ++i)
    images.bytes[i % channels * plane + i / channels] = framed.pixels[i];
  wipe(framed.pixels.data(), framed.pixels.size());
  return images;
}

std::string classify(std::span<const std::uint8_t> rgba, int width, int height) {
  const package::Package& package = *program().package;
  nn::Dataset images = dataset_of(package, rgba, width, height);
  const std::vector<app::Image> inputs = app::preprocess(package, images);
  const std::size_t cut = app::saturated(package, images).front();
  wipe(images.bytes.data(), images.bytes.size());
  const app::Answer answer = session().infer(inputs.front());
  const int label = answer.label.front();
  return Json{{"label", label},
              {"name", app::class_name(package, label)},
              {"logits", std::vector<std::int64_t>(answer.logits.begin(), answer.logits.end())},
              {"scores", app::scores(package.network, answer.logits)},
              {"saturated", cut},
              {"offline", phase(answer.report.offline)},
              {"online", phase(answer.report.online)}}
      .dump();
}

/// A size that a package or a page may have; `bytes` says how many there must be.
std::span<const std::uint8_t> pixels(const std::uint8_t* rgba, std::size_t bytes, int width, int height) {
  if (width < 1 || height < 1 || static_cast<std::uint32_t>(width) > nn::kMaxPictureSide ||
      static_cast<std::uint32_t>(height) > nn::kMaxPictureSide ||
      std::uint64_t{4} * static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) != bytes) {
    fail_input("{} bytes are no picture of {}x{} pixels with red, green, blue and alpha", bytes, height,
               width);
  }
  return {rgba, bytes};
}

}  // namespace
}  // namespace ap::web

using namespace ap;
using namespace ap::web;

extern "C" {

const char* ap_text() { return program().text.c_str(); }

/// Reads, validates and audits a client's package. JSON: what it takes and gives.
int ap_open(const std::uint8_t* file, std::size_t bytes) {
  return run([&] {
    package::Package package = package::parse({file, bytes}, "client.apm");
    if (package.role != Party::client) fail_input("this is the server's package; give the page the client's");
    app::require_security(app::audit(package));
    program().package = std::move(package);
    return describe(*program().package);
  });
}

/// Greets the server on the connection that the other worker has opened. `deadline_ms`: longest wait for it.
int ap_connect(double deadline_ms) {
  return run([&] {
    Program& p = program();
    if (!p.package) fail_input("there is no package; open one first");
    p.session.reset();
    p.channel = std::make_unique<PageChannel>();
    p.channel->set_deadline(std::chrono::milliseconds(static_cast<std::int64_t>(deadline_ms)));
    p.session = std::make_unique<app::InferenceSession>(*p.package, *p.channel);
    return std::string("{}");
  });
}

/// The offline phase of one inference. JSON: how many are waiting.
int ap_prepare() {
  return run([&] {
    session().prepare();
    return Json::object({{"prepared", session().prepared()}}).dump();
  });
}

/// One image of a canvas. JSON: the answer and what it cost.
int ap_classify(const std::uint8_t* rgba, std::size_t bytes, int width, int height) {
  return run([&] { return classify(pixels(rgba, bytes, width, height), width, height); });
}

/// JSON: bytes and messages since ap_connect, and how the protocols of activations were chosen.
int ap_traffic() {
  return run([&] {
    if (!program().channel) fail_input("there is no session; connect first");
    const net::Traffic t = program().channel->traffic();
    return Json{{"bytes", {{"up", t.bytes_sent}, {"down", t.bytes_received}}},
                {"messages", {{"up", t.messages_sent}, {"down", t.messages_received}}}}
        .dump();
  });
}

/// Says goodbye.
int ap_finish() {
  return run([&] {
    session().finish();
    program().session.reset();
    program().channel->close();
    return std::string("{}");
  });
}

}  // extern "C"
