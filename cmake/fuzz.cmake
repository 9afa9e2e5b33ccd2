# Fuzzing with libFuzzer (docs/fuzzing.md): which code tells the fuzzer what it reaches. Included with AP_FUZZ on.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "AP_FUZZ needs Clang; run tools/install-dependencies --tests and set CMAKE_CXX_COMPILER=clang++-16")
endif()

# All that sees bytes of a file or of the other party. Numeric loops are left out: what they do depends on sizes alone.
set(AP_FUZZ_FOLDERS "^(base|net|nn|he|mpc|layers/activation|analysis/profile|plan|package|protocol|app|report)(/|$)")
set(AP_FUZZ_LOOPS "kernels|executor|batch_multiply|scaling|/lpn|/ggm|/gf128|/hash|/transpose|clamp_gate")

# ap_watch(FOLDER SOURCES...): these files of src/FOLDER report the edges that they reach.
function(ap_watch folder)
  if(folder MATCHES "${AP_FUZZ_FOLDERS}")
    list(FILTER ARGN EXCLUDE REGEX "${AP_FUZZ_LOOPS}")
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -fsanitize=fuzzer-no-link)
  endif()
endfunction()
