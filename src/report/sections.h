// The sections of a report. Each draws what it can from the data, or says in one sentence what it would need.
#pragma once

#include <string>

#include "report/data.h"

namespace ap::report {

struct Section {
  std::string id, title;
  std::string html;     ///< empty if there is nothing to draw
  std::string missing;  ///< then: a sentence that says what would give it
};

/// Section 1, each network under each policy: latency and bytes, with ratios against delphi; plans that were not
/// measured are shown by what they predict.
Section summary_section(const Data& data);
/// Section 2, layer by layer: N, log2 q, log2 p, error_std and error rate (AutoPrivacy, Fig. 6).
Section layers_section(const Data& data);
/// Section 3, reward and latency by episode of each search.
Section search_section(const Data& data);
/// Section 4, latency and accuracy by policy, and of all plans that a search simulated.
Section pareto_section(const Data& data);
/// Section 5, what each step from the baseline to the searched plan gains.
Section gain_section(const Data& data);
/// Section 6, noise of real ciphertexts against the model.
Section noise_section(const Data& data);

/// Indices of the points that no other beats: none has both fewer `x` and more `y`, sorted by x.
std::vector<std::size_t> pareto_front(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace ap::report
