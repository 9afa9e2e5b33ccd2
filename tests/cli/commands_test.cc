// The commands as scripts use them: exit status, keys of the JSON, and what is on which stream.
#include <algorithm>
#include <cmath>
#include <set>

#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

void expect_keys(const Json& json, const std::set<std::string>& keys) {
  for (const std::string& key : keys) EXPECT_TRUE(json.contains(key)) << key;
}

TEST_F(CliTest, VersionAndHelp) {
  EXPECT_EQ(run({"--version"}).status, 0);
  const Result help = run({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* command : {"inspect", "compile", "audit", "security", "serve", "infer"}) {
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
    EXPECT_EQ(run({command, "--help"}).status, 0) << command;
  }
  EXPECT_EQ(run({"help"}).out, help.out);
  const Result serve = run({"help", "serve"});
  EXPECT_EQ(serve.out, run({"serve", "--help"}).out);
  EXPECT_NE(serve.out.find("--queue N (0 to 10000; 32 if left out)"), std::string::npos) << serve.out;
  EXPECT_EQ(serve.out.find("INT:"), std::string::npos) << serve.out;
  EXPECT_EQ(serve.out.find(" INT "), std::string::npos) << serve.out;
  EXPECT_EQ(run({"help", "serv"}).status, 2);
}

TEST_F(CliTest, BadUsage) {
  expect_failure(run({}), 2, "give one of inspect, compile");
  expect_failure(run({"frobnicate"}), 2, "frobnicate");
  expect_failure(run({"inspect"}), 2, "MODEL.onnx");
  expect_failure(run({"inspect", "x.onnx", "--colour"}), 2, "--colour");
  expect_failure(run({"compile", "x.onnx", "--polcy", "dp"}), 2,
                 "there is no option --polcy of compile; did you mean --policy?");
  expect_failure(run({"infer", client_package(), "--data", data()}), 2, "--server");
  expect_failure(run({"serve", server_package(), "--max-sessions", "0"}), 2, "--max-sessions");
}

TEST_F(CliTest, FailuresAreJsonForPrograms) {
  const Result result = run({"audit", path("absent.apm"), "--json"});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.complaints(), 1);
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["exit_status"], 2);
  EXPECT_EQ("autoprivacy: " + json["error"].get<std::string>() + "\n", result.err);
}

TEST_F(CliTest, Inspect) {
  const Result result = run({"inspect", path("model.onnx"), "--calibrate", data(), "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  expect_keys(json, {"name", "input", "output", "parameters", "macs", "activations", "layers"});
  EXPECT_EQ(json["input"], (Json{1, 6, 6}));
  EXPECT_EQ(json["output"], (Json{3, 1, 1}));
  EXPECT_EQ(json["activations"], 8 * 36);
  EXPECT_EQ(json["parameters"], 9 * 8 + 8 + 3 * 8 * 36 + 3);
  EXPECT_EQ(json["macs"], 9 * 8 * 36 + 3 * 8 * 36);
  for (const Json& layer : json["layers"]) {
    ASSERT_TRUE(layer.contains("range"));
    EXPECT_LE(layer["range"][0], layer["range"][1]);
    if (layer["op"] == "clip") {
      EXPECT_EQ(layer["range"][0], 0.0);
    }
  }
  const Result table = run({"inspect", path("model.onnx")});
  EXPECT_EQ(table.status, 0);
  EXPECT_NE(table.out.find("ReLU elements"), std::string::npos);
  EXPECT_NE(table.out.find("1x6x6"), std::string::npos);
}

TEST_F(CliTest, CompileReportsTheContractsKeys) {
  // A terminal alone sees progress; the labels of this fixture are not those of its network.
  EXPECT_EQ(compiled_.err.rfind("autoprivacy: warning: the network is right on", 0), 0U) << compiled_.err;
  EXPECT_EQ(std::count(compiled_.err.begin(), compiled_.err.end(), '\n'), 1) << compiled_.err;
  const Json json = Json::parse(compiled_.out);
  expect_keys(json, {"policy", "layers", "min_lambda_bits", "predicted", "accuracy", "search_s"});
  expect_keys(json["predicted"], {"offline_s", "online_s", "bytes"});
  expect_keys(json["accuracy"], {"float", "clear", "simulated"});
  EXPECT_GE(json["min_lambda_bits"], 128.0);
  int linear = 0, activations = 0;
  for (const Json& layer : json["layers"]) {
    expect_keys(layer, {"name", "op", "packing", "n", "log2_q", "primes", "log2_p", "tau_lsb",
                        "der_ciphertext", "lambda_bits", "activation", "predicted_s", "predicted_bytes"});
    if (layer["activation"].is_null()) {
      ++linear;
      EXPECT_GE(layer["lambda_bits"], 128.0);
      EXPECT_LT(layer["der_ciphertext"], 1e-9);
      double bits = 0;
      for (const Json& prime : layer["primes"]) bits += std::log2(prime.get<double>());
      EXPECT_NEAR(layer["log2_q"].get<double>(), bits, 1e-9);
    } else {
      ++activations;
      EXPECT_EQ(layer["activation"], "auto");
    }
  }
  EXPECT_EQ(linear, 2);
  EXPECT_EQ(activations, 1);
  EXPECT_GE(json["accuracy"]["float"], 0.0);
}

TEST_F(CliTest, CompileRefusesWhatIsNotThere) {
  const std::vector<std::string> base = {"compile", path("model.onnx"), "--calibrate", data(),
                                         "--out",   path("other")};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return run(more);
  };
  for (const char* policy : {"fastest"}) {
    expect_failure(with({"--policy", policy}), 2, "exact");
  }
  // Words of earlier versions name those of today.
  expect_failure(with({"--policy", "published"}), 2, "--policy autoprivacy");
  expect_failure(with({"--mode", "published"}), 2, "--budget error-std");
  expect_failure(with({"--as-published"}), 2, "--flooding-by-rule");
  expect_failure(with({"--imagined", "0"}), 2, "--rollouts");
  expect_failure(with({"--activation", "tlc"}), 2, "auto, gc, ot");
  expect_failure(with({"--max-latency", "5"}), 2, "--max-latency");
  expect_failure(with({"--max-accuracy-loss", "0"}), 2, "--max-accuracy-loss");
  EXPECT_FALSE(std::filesystem::exists(path("other")));
}

TEST_F(CliTest, Audit) {
  const Result result = run({"audit", client_package(), "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  expect_keys(json, {"min_lambda_bits", "cost_model", "circuit_privacy", "lpn_bits", "garbling_bits",
                     "flood_bits", "failure_log2", "assumptions"});
  EXPECT_EQ(json["cost_model"], "matzov");
  expect_keys(json["circuit_privacy"], {"method", "inferences", "bound_bits_per_weight", "snr"});
  EXPECT_EQ(json["circuit_privacy"]["inferences"], 1 << 20);
  EXPECT_LE(json["circuit_privacy"]["snr"], 0.01);
  EXPECT_EQ(json["flood_bits"], 0);
  EXPECT_LE(json["failure_log2"], -40.0);
  EXPECT_GE(json["min_lambda_bits"], 128.0);
  EXPECT_EQ(json["layers"].size(), 2u);
  for (const Json& assumption : json["assumptions"]) EXPECT_EQ(assumption.get<std::string>().back(), '.');
  const Json server = Json::parse(run({"audit", server_package(), "--json"}).out);
  EXPECT_EQ(server["package_id"], json["package_id"]);
  EXPECT_NE(run({"audit", client_package()}).out.find("This holds if"), std::string::npos);
}

TEST_F(CliTest, Security) {
  const Result result = run({"security", "--n", "2048", "--log2q", "54", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  expect_keys(json, {"lambda_usvp", "lambda_bdd", "lambda_dual", "lambda_min"});
  EXPECT_NEAR(json["lambda_min"].get<double>(), 128, 6);
  EXPECT_EQ(json["lambda_min"], std::min({json["lambda_usvp"], json["lambda_bdd"], json["lambda_dual"]}));
  expect_failure(run({"security", "--n", "2048", "--log2q", "54", "--cost-model", "guess"}), 2, "bdgl16");
  expect_failure(run({"security", "--n", "2048", "--log2q", "54", "--secret", "sparse"}), 2, "ternary");
}

TEST_F(CliTest, SecurityOfTheSetsOfLpn) {
  const Result result = run({"security", "--lpn", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_GE(json["lpn_bits"].get<double>(), 128);
  ASSERT_EQ(json["sets"].size(), 2u);
  for (const Json& set : json["sets"]) {
    EXPECT_EQ(set["weight"], 10);
    EXPECT_GE(set["bits"].get<double>(), json["lpn_bits"].get<double>());
    double lowest = 1000;
    for (const Json& attack : set["attacks"]) lowest = std::min(lowest, attack["bits"].get<double>());
    EXPECT_EQ(set["bits"].get<double>(), lowest);
  }
  EXPECT_NE(run({"security", "--lpn"}).out.find("information set"), std::string::npos);
  expect_failure(run({"security", "--lpn", "--n", "2048"}), 2, "--lpn");
  expect_failure(run({"security", "--n", "2048"}), 2, "--log2q");
}

TEST_F(CliTest, InferLocallyAgreesWithTheClearNetwork) {
  const Result result = run({"infer", client_package(), "--local", server_package(), "--data", data(),
                             "--first", "4", "--check", server_package(), "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const Json json = Json::parse(result.out);
  expect_keys(json, {"images", "top1", "agree_clear", "max_abs_logit_error", "labels", "offline", "online",
                     "layers", "peak_rss_bytes"});
  EXPECT_EQ(json["images"], 4);
  EXPECT_EQ(json["labels"].size(), 4u);
  EXPECT_EQ(json["agree_clear"], 1.0);
  EXPECT_GE(json["max_abs_logit_error"], 0);
  for (const char* phase : {"offline", "online"}) {
    expect_keys(json[phase], {"seconds", "client_cpu_s", "server_cpu_s", "bytes_up", "bytes_down"});
    EXPECT_GT(json[phase]["seconds"], 0.0);
    EXPECT_GE(json[phase]["server_cpu_s"], 0.0);
    EXPECT_GT(json[phase]["bytes_up"], 0);
    EXPECT_GT(json[phase]["bytes_down"], 0);
  }
  for (const Json& layer : json["layers"]) expect_keys(layer, {"name", "op", "offline", "online"});
  EXPECT_GT(json["peak_rss_bytes"]["client"], 1'000'000);
  EXPECT_GT(json["peak_rss_bytes"]["server"], 1'000'000);
  expect_no_processes_with(path("out"));
}

TEST_F(CliTest, InferPrintsATableForAPerson) {
  const Result result = run({"infer", client_package(), "--local", server_package(), "--data", data(),
                             "--range", "5:7", "--top", "2"});
  ASSERT_EQ(result.status, 0) << result.err;
  for (const char* word :
       {"image", "true label", "best", "#2", "offline", "online", "peak memory", "correct"}) {
    EXPECT_NE(result.out.find(word), std::string::npos) << word;
  }
}

TEST_F(CliTest, ServeAndInferWithAPinnedCertificate) {
  ServeProcess server(server_package(), {"--write-cert", path("cert.pem")});
  ASSERT_NE(server.url, "") << server.line;
  const std::vector<std::string> base = {"infer", client_package(), "--server", server.url, "--data",
                                         data(),  "--first",        "1",        "--json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return run(more);
  };
  const Result answered = with({"--trust", path("cert.pem")});
  EXPECT_EQ(answered.status, 0);
  // Another's server says nothing of its cost.
  const Json json = Json::parse(answered.out);
  for (const char* phase : {"offline", "online"}) EXPECT_TRUE(json[phase]["server_cpu_s"].is_null());
  EXPECT_TRUE(json["layers"][0]["offline"]["server_cpu_s"].is_null());
  EXPECT_TRUE(json["peak_rss_bytes"]["server"].is_null());
  EXPECT_EQ(with({"--ca", path("cert.pem")}).status, 0);
  EXPECT_EQ(with({"--trust", server.pin}).status, 0);
  expect_failure(with({"--trust", std::string(64, '0')}), 4, "certificate");
  expect_failure(with({}), 4, "certificate");
  expect_failure(with({"--trust", client_package()}), 2, "certificate");
  server->kill(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
  // Three sessions, and two clients that did not like the certificate.
  EXPECT_NE(server->err.find("3 inferences"), std::string::npos) << server->err;
}

TEST_F(CliTest, OnlyTheOwnerReadsTheWeights) {
  namespace fs = std::filesystem;
  const fs::perms others = fs::perms::group_all | fs::perms::others_all;
  EXPECT_EQ(fs::status(server_package()).permissions() & others, fs::perms::none);
  EXPECT_NE(fs::status(client_package()).permissions() & fs::perms::others_read, fs::perms::none);
  for (const bool open : {false, true}) {
    const std::string copy = path("copy.apm");
    fs::copy_file(server_package(), copy, fs::copy_options::overwrite_existing);
    fs::permissions(copy, fs::perms(open ? 0644 : 0600));
    ServeProcess server(copy);
    ASSERT_NE(server.url, "");
    server->kill(SIGTERM);
    EXPECT_EQ(server->wait(), 0);
    EXPECT_EQ(server->err.find("chmod 600") != std::string::npos, open) << server->err;
  }
}

TEST_F(CliTest, InterruptEndsTheServerCleanly) {
  ServeProcess server(server_package());
  ASSERT_NE(server.url, "");
  server->kill(SIGINT);
  EXPECT_EQ(server->wait(std::chrono::seconds(20)), 0);
}

}  // namespace
}  // namespace ap::cli
