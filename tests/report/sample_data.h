// Inputs of reports for tests: results, a search, and a hostile name.
#pragma once

#include "report/read_json.h"

namespace ap::report::test {

inline const char* const kHostile =
    "</title><script>alert(1)</script><img src=x onerror='alert(\"2\")'>&amp;\x01";

inline Json layer_json(const std::string& name, int n, double log2_q, int log2_p, double error_std,
                       double der, const std::string& packing) {
  return {{"name", name},
          {"op", "linear"},
          {"packing", packing},
          {"n", n},
          {"log2_q", log2_q},
          {"log2_p", log2_p},
          {"tau_lsb", error_std},
          {"der_ciphertext", der},
          {"lambda_bits", 130},
          {"primes", {12289}},
          {"activation", nullptr},
          {"predicted_s", 0.25},
          {"predicted_bytes", 150'000}};
}

inline Json row_json(const std::string& network, const std::string& policy, double offline_s, double mb,
                     double top1, int n, double log2_q, double der) {
  const bool slots = policy == "delphi" || policy == "darl" || policy == "autoprivacy";
  const std::string packing = slots ? "SIMD shifted-copies" : "coefficient 32x32 in1 out4";
  Json layers = Json::array();
  for (int i = 0; i < 3; ++i) {
    layers.push_back(layer_json("conv" + std::to_string(i), n, log2_q + i, 20, slots ? 0.0 : 0.02 * (i + 1),
                                der, packing));
    layers.push_back({{"name", "relu" + std::to_string(i)},
                      {"op", "activation"},
                      {"packing", nullptr},
                      {"n", nullptr},
                      {"activation", "gc"},
                      {"predicted_s", 0.1},
                      {"predicted_bytes", 90'000}});
  }
  return {{"network", network},
          {"policy", policy},
          {"images", 10},
          {"agree_clear", 9},
          {"min_lambda_bits", 129.5},
          {"search_s", 12.5},
          {"notes", Json::array()},
          {"top1", top1},
          {"top1_clear", 0.8163},
          {"top1_interval", {top1 - 0.01, top1 + 0.01}},
          {"simulated_images", 2000},
          {"layers", layers},
          {"offline", {{"seconds", offline_s}, {"cpu_s", 2 * offline_s}, {"mb", mb}}},
          {"online", {{"seconds", 0.123}, {"cpu_s", 0.2}, {"mb", 1.5}}}};
}

inline Json results_json(const std::string& network = "7CNET") {
  return {{"machine", "2 cores of a test machine, 2026-01-01"},
          {"rows",
           {row_json(network, "delphi", 40.25, 130.25, 0.8163, 8192, 178, 1e-13),
            row_json(network, "darl", 20, 120, 0.8163, 8192, 160, 1e-13),
            row_json(network, "autoprivacy", 15, 100, 0.815, 4096, 100, 0.004),
            row_json(network, "exact", 4, 20, 0.8163, 2048, 40, 1e-13),
            row_json(network, "dp", 2, 10, 0.8155, 1024, 24, 0.9)}}};
}

inline Json search_json(int episodes = 5) {
  Json trace = Json::array(), evaluations = Json::array();
  for (int i = 1; i <= episodes; ++i) {
    trace.push_back({{"episode", i},
                     {"reward", -0.3 + 0.01 * i},
                     {"seconds", 1.0 + 1.0 / i},
                     {"loss", 0.01 / i},
                     {"expected_loss", 0.002}});
    evaluations.push_back({{"choice", {i, 1}},
                           {"counts", {1, 1, 1, 1, 0, 0, 0}},
                           {"labelled", true},
                           {"loss", 0.01 / i},
                           {"seconds", 1.0 + 0.1 * i},
                           {"bytes", 1000}});
  }
  return {{"version", 1},
          {"policy", "ddpg"},
          {"problem", "00"},
          {"curvature", 8.4},
          {"finished", true},
          {"trace", trace},
          {"evaluations", evaluations},
          {"validations", Json::array()},
          {"choice", {2, 1}},
          {"tightened", 0},
          {"search_s", 33.5}};
}

/// All of it, and a histogram.
inline Data full_data(const std::string& network = "7CNET") {
  Data data;
  data.sources = {"results.json", network};
  read_json(results_json(network), "results.json", network, data);
  read_json(search_json(), network + "/search.json", network, data);
  analysis::NoiseLayer layer{.name = network,
                             .n = 1024,
                             .log2_q = 26,
                             .log2_p = 16,
                             .samples = 100,
                             .measured_std = 1.02,
                             .predicted_std = 1,
                             .bin_width = 2,
                             .measured = {0.25, 0.5, 0.25},
                             .predicted = {0.24, 0.5, 0.24},
                             .outside = 0};
  data.noise.push_back({network, "dp", "server.apm", "a machine", {layer}, ""});
  match(data);
  return data;
}

}  // namespace ap::report::test
