// What commands say of images, labels, answers and memory.
#include "package/package.h"
#include "tests/cli/cli_fixture.h"
#include "tests/nn/data/picture_files.h"

namespace ap::cli {
namespace {

constexpr int kSide = app::kSmallSide;

/// A grey PNG of random pixels.
void write_png(const std::filesystem::path& path, int height, int width, std::uint32_t seed) {
  std::filesystem::create_directories(path.parent_path());
  std::mt19937 random(seed);
  std::vector<Bytes> rows(static_cast<std::size_t>(height), Bytes(static_cast<std::size_t>(width)));
  for (Bytes& row : rows) {
    for (std::uint8_t& pixel : row) pixel = static_cast<std::uint8_t>(random());
  }
  write_file(path, nn::png_file(width, PNG_COLOR_TYPE_GRAY, 8, rows));
}

Json answers(const Result& result) {
  EXPECT_EQ(result.status, 0) << result.err;
  return Json::parse(result.out)["answers"];
}

TEST_F(CliTest, AnswersHaveNamesAndScores) {
  const std::string csv = path("answers.csv");
  const Result result = run({"infer", client_package(), "--local", server_package(), "--data", data(),
                             "--range", "3:5", "--json", "--csv", csv});
  const Json list = answers(result);
  ASSERT_EQ(list.size(), 2U);
  const Bytes bytes = read_file(csv, 1 << 20);
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "input,label,name,true_label,saturated,score_0,score_1,score_2");
  for (std::size_t i = 0; i < 2; ++i) {
    const Json& answer = list[i];
    EXPECT_EQ(answer["input"], 3 + i);
    ASSERT_EQ(answer["scores"].size(), 3U);
    const auto scores = answer["scores"].get<std::vector<double>>();
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    EXPECT_EQ(answer["label"], best);
    EXPECT_EQ(answer["name"], std::to_string(best));
    EXPECT_EQ(answer["saturated"], 0);
    EXPECT_GT(answer["offline_s"], 0);
    EXPECT_GT(answer["online_s"], 0);
    std::getline(lines, line);
    EXPECT_EQ(line, fmt::format("{},{},{},{},0,{:.9g},{:.9g},{:.9g}", 3 + i, best, best,
                                answer["true_label"].get<int>(), scores[0], scores[1], scores[2]));
  }
  EXPECT_EQ(Json::parse(result.out)["saturated"], 0);
}

TEST_F(CliTest, LabelsThatAreNoOutputsAreRefused) {
  Bytes labels(24, 1);
  labels[7] = 9;
  write_npy(path("y9.npy"), "|u1", "24,", labels);
  const Result result = run({"compile", path("model.onnx"), "--calibrate",
                             "npy:" + path("x.npy") + "," + path("y9.npy"), "--out", path("no")});
  expect_failure(result, 2, "image 7 has the label 9, but the network has 3 outputs");
  EXPECT_FALSE(std::filesystem::exists(path("no/client.apm")));
}

TEST_F(CliTest, NumbersThatAreNoBytesAreTakenAsTheyAreAndThatIsSaid) {
  Bytes values(static_cast<std::size_t>(8 * 4 * kSide * kSide));
  const float pixel = 200;
  for (std::size_t i = 0; i < values.size(); i += 4) std::memcpy(values.data() + i, &pixel, 4);
  write_npy(path("f.npy"), "<f4", "8, 1, 6, 6", values);
  const Result result = run({"inspect", path("model.onnx"), "--calibrate", "npy:" + path("f.npy"), "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("taken as they are (scale=1); if they are pixels"), std::string::npos)
      << result.err;
  EXPECT_EQ(Json::parse(result.out)["layers"][0]["range"], (Json{200.0, 200.0}));
  const Result told = run({"inspect", path("model.onnx"), "--calibrate", "npy:" + path("f.npy"),
                           "--normalize", "scale=200", "--json"});
  EXPECT_EQ(told.err, "");
  EXPECT_EQ(Json::parse(told.out)["layers"][0]["range"], (Json{1.0, 1.0}));
}

TEST_F(CliTest, PicturesOfAnySizeAndTheirFoldersAreRemembered) {
  const std::string folder = path("pictures");
  for (const char* name : {"ant", "bee", "cat"}) {
    for (int i = 0; i < 3; ++i)
      write_png(folder + "/" + name + "/" + std::to_string(i) + ".png", 9 + i, 14,
                static_cast<std::uint32_t>(i));
  }
  const std::string argument = "images:" + folder;
  expect_failure(run({"compile", path("model.onnx"), "--calibrate", argument, "--out", path("framed")}), 2,
                 "--resize");
  const Result compiled = run({"compile", path("model.onnx"), "--calibrate", argument, "--resize", "8",
                               "--crop", "6", "--out", path("framed"), "--json"});
  ASSERT_EQ(compiled.status, 0) << compiled.err;
  EXPECT_NE(compiled.err.find("0 is ant, 2 is cat"), std::string::npos) << compiled.err;
  const Json json = Json::parse(compiled.out);
  EXPECT_EQ(json["framing"], "resize=8 crop=6");
  EXPECT_EQ(json["labels"], (Json{"ant", "bee", "cat"}));
  const Result inspected = run({"inspect", path("framed/client.apm"), "--json"});
  ASSERT_EQ(inspected.status, 0) << inspected.err;
  EXPECT_EQ(Json::parse(inspected.out)["framing"], "resize=8 crop=6");
  EXPECT_EQ(Json::parse(inspected.out)["labels"], json["labels"]);
  EXPECT_EQ(Json::parse(inspected.out)["memory"], json["memory"]);
  // The client scales without being told, and looks folders up among the names.
  std::filesystem::remove_all(folder + "/ant");
  const Json list = answers(run({"infer", path("framed/client.apm"), "--local", path("framed/server.apm"),
                                 "--data", argument, "--first", "2", "--json"}));
  EXPECT_EQ(list[0]["input"], "bee/0.png");
  EXPECT_EQ(list[0]["true_label"], 1);
  EXPECT_EQ(list[1]["true_label"], 2);
}

TEST_F(CliTest, SaturatedValuesAreCounted) {
  Bytes values;
  for (int i = 0; i < kSide * kSide; ++i) {
    const float value = i < 9 ? 1e6F : 0.5F;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
    values.insert(values.end(), bytes, bytes + 4);
  }
  write_npy(path("wild.npy"), "<f4", "1, 1, 6, 6", values);
  const Result result = run({"infer", client_package(), "--local", server_package(), "--data",
                             "npy:" + path("wild.npy"), "--json"});
  EXPECT_EQ(answers(result)[0]["saturated"], 9);
  EXPECT_EQ(Json::parse(result.out)["saturated"], 9);
  EXPECT_NE(result.err.find("warning: 25.0 % of the values"), std::string::npos) << result.err;
}

TEST_F(CliTest, MemoryIsAsPredicted) {
  const Json memory = Json::parse(compiled_.out)["memory"];
  const Result result = run(
      {"infer", client_package(), "--local", server_package(), "--data", data(), "--first", "2", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json peak = Json::parse(result.out)["peak_rss_bytes"];
  const auto server = peak["server"].get<double>(), client = peak["client"].get<double>();
  const auto number = [&](const char* key) { return memory[key].get<double>(); };
  const double predicted = number("server_bytes") + number("session_bytes");
  EXPECT_GT(predicted, server / 2) << server;
  EXPECT_LT(predicted, server * 2) << server;
  EXPECT_GT(number("client_bytes"), client / 2) << client;
  EXPECT_LT(number("client_bytes"), client * 2) << client;
}

}  // namespace
}  // namespace ap::cli
