// Arithmetic on constants, element by element.
#pragma once

#include <string>

#include "nn/onnx/arguments.h"

namespace ap::nn {

/// No elements yet, of the same type.
Constant like(const Constant& c, Dims dims);
/// Without its fraction, and within 64 bits. @throws Unsupported for what is not a number
std::int64_t to_integer(double v);
/// To the nearest whole number, a half to the even one.
double half_to_even(double v);

/// Add, Sub, Equal, ...: operators on two constants, of which some take any number.
bool is_pair_operator(const std::string& op);
/// Of shapes that broadcast. The arithmetic of integers is that of integers. @throws Unsupported
Constant evaluate_pair(const std::string& op, const Arguments& args, const Constant& a, const Constant& b);

/// Neg, Sqrt, ...
bool is_function(const std::string& op);
/// @throws Unsupported for results that are no numbers
Constant evaluate_function(const std::string& op, const Constant& a);

}  // namespace ap::nn
