// Code for an instruction set that the machine at hand need not have, in the spelling of each compiler.
#pragma once

#if defined(__clang__)

/// Appended to the list of an AVX-512 set: use whole registers of 512 bits, not halves. Clang's default for
/// these sets.
#define AP_WHOLE_512 ""

/// What is defined between the two is compiled for the set, inline functions of headers included earlier are
/// not.
#define AP_BEGIN_INSTRUCTION_SET(set) \
  AP_PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define AP_END_INSTRUCTION_SET AP_PRAGMA(clang attribute pop)

#else

#define AP_WHOLE_512 ",prefer-vector-width=512"
#define AP_BEGIN_INSTRUCTION_SET(set) AP_PRAGMA(GCC push_options) AP_PRAGMA(GCC target(set))
#define AP_END_INSTRUCTION_SET AP_PRAGMA(GCC pop_options)

#endif

#define AP_PRAGMA(text) _Pragma(#text)
