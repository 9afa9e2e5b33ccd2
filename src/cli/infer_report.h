// What infer tells of a run: a table, JSON, or CSV.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/client.h"
#include "cli/common.h"
#include "package/package.h"

namespace ap::cli {

struct InferResults {
  const package::Package& package;
  const nn::Dataset& data;
  const app::RunResult& run;
  const std::vector<std::size_t>& saturated;  ///< values cut at the input, by image
  std::size_t asked = 0;                      ///< images, of which the first may have answers alone
  std::optional<double> top1;
  std::optional<app::Agreement> agreement;

  std::size_t saturated_values() const;
};

/// What the input of image i is called: its file, or its number in the source.
Json input_name(const nn::Dataset& data, std::size_t i);
/// The same as text for a terminal.
std::string printable_input(const nn::Dataset& data, std::size_t i);

/// Of a run that was cut short: why, and how to go on.
std::string sentence_of(const InferResults& results);
Json cost_json(const protocol::Cost& cost, bool server_told);
Json memory_json(std::uint64_t client, std::uint64_t server);

Json json_of(const InferResults& results);
/// `top` labels of each image.
std::string text_of(const InferResults& results, std::size_t top);
/// A head, and a line for each image: input, label, name, true_label, saturated, then the score of each class. Numbers
/// with nine significant digits; what has commas or quotes is quoted as in RFC 4180.
std::string csv_of(const InferResults& results);

}  // namespace ap::cli
