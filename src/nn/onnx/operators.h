// The one list of the operators that can be imported: attributes that are known, and limits in words.
#pragma once

#include <string>
#include <vector>

namespace ap::nn {

struct Operator {
  const char* name;                     ///< with its domain in front if that is not the standard one
  std::vector<const char*> attributes;  ///< others are refused: they might change the meaning
  const char* limits;                   ///< what of it is supported; empty: all
  bool on_constants = false;            ///< only where all inputs are constants
};

/// Sorted by name.
const std::vector<Operator>& operators();
/// nullptr if there is none of this name.
const Operator* find_operator(const std::string& name);
/// The list as a document (docs/operators.md).
std::string operators_markdown();

}  // namespace ap::nn
