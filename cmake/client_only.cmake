# AP_CLIENT_ONLY: the libraries that a party needs which classifies (docs/portability.md), for machines that lack what
# the rest is built with. Included instead of looking for libraries.

# The folders of src/: the client, and what it uses. The server of the protocol is in the same folders, for tests.
set(AP_CLIENT_FOLDERS
    base crypto/plain crypto random ring security net/channel nn/ir nn/data nn/execute he/rlwe he/bfv
    mpc/core mpc/garble mpc/ot layers/linear layers/linear/coefficient layers/linear/simd layers/linear/plaintext
    layers/activation layers/activation/gc layers/activation/ot layers/activation/one_trip plan package
    protocol/store protocol/hybrid analysis/cost analysis/prediction)

# What is not there: empty targets in its place, so that src/CMakeLists.txt says the same for every build, and
# definitions that the sources go by.
foreach(absent Threads::Threads TBB::tbb OpenSSL::Crypto PkgConfig::sodium PkgConfig::zstd spdlog::spdlog
               JPEG::JPEG LibLZMA::LibLZMA PNG::PNG ZLIB::ZLIB Eigen3::Eigen)
  add_library(${absent} INTERFACE IMPORTED)
endforeach()
target_compile_definitions(ap_flags INTERFACE AP_SERIAL AP_PLAIN_CRYPTO AP_NO_ZSTD)
# Bootstrapping is for servers. Readers of files, decoders of pictures and the networks in the clear are not for a client that is handed pixels.
set(AP_ABSENT_SOURCES "/src/base/(log_sink|core_dumps|freed_memory|system_limits)\\.cc$" "/src/he/rlwe/(extended|mod_raise|sparse_secret)\\.cc$"
    "/src/nn/data/(byte_source|dataset|dataset_(binary|npy|pictures)|labels|npy_file|picture|picture_(jpeg|png))\\.cc$"
    "/src/nn/execute/(executor|float|integer)_[a-z0-9_]+\\.cc$")
string(REPLACE ";" "|" AP_ABSENT_SOURCES "${AP_ABSENT_SOURCES}")

# Libraries of headers alone. Links to their folders, because a cross compiler must not see the rest of /usr/include.
foreach(library fmt nlohmann)
  if(NOT IS_DIRECTORY /usr/include/${library})
    message(FATAL_ERROR "there is no /usr/include/${library}; run tools/install-dependencies --portable")
  endif()
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include)
  file(CREATE_LINK /usr/include/${library} ${CMAKE_BINARY_DIR}/include/${library} SYMBOLIC)
endforeach()
foreach(library fmt::fmt nlohmann_json::nlohmann_json)
  add_library(${library} INTERFACE IMPORTED)
  target_include_directories(${library} SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/include)
endforeach()
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)

if(EMSCRIPTEN)
  # 128-bit vectors, which every browser has had since 2023, and exceptions of WebAssembly's own instead of calls of
  # JavaScript.
  set(AP_WASM_OPTIONS -msimd128 -fwasm-exceptions)
  add_compile_options(${AP_WASM_OPTIONS})
  add_link_options(${AP_WASM_OPTIONS})
  # Newer versions of Node.js have a fetch, which Emscripten then takes for that of a browser.
  list(APPEND CMAKE_CROSSCOMPILING_EMULATOR --no-experimental-fetch)
endif()

if(AP_TESTS)
  set(INSTALL_GTEST OFF)
  set(BUILD_GMOCK OFF)
  add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  foreach(target gtest gtest_main)
    target_compile_options(${target} PRIVATE -w)  # its warnings are not ours to mend
  endforeach()
endif()
