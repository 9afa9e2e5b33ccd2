# ap_module(NAME [modules and libraries it uses...]): one static library `ap_NAME` from the sources in
# src/NAME. Which module may use which is checked by tools/check-layers, not here.
function(ap_module name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  if(sources)
    add_library(ap_${name} STATIC ${sources})
    target_link_libraries(ap_${name} PUBLIC ap_flags ${ARGN})
    if(AP_FUZZ)
      ap_watch(${name} ${sources})
    endif()
  else()
    add_library(ap_${name} INTERFACE)
    target_link_libraries(ap_${name} INTERFACE ap_flags ${ARGN})
  endif()
endfunction()

# ap_test(NAME): one test program `test_NAME` from tests/NAME/*.cc, linked with module NAME.
function(ap_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*.cc)
  if(sources)
    add_executable(test_${name} ${sources})
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(test_${name} PRIVATE ap_${name} test_support ${ARGN} GTest::gtest GTest::gtest_main)
    # What is tested is optimised; the tests themselves take longer to compile than to run.
    target_compile_options(test_${name} PRIVATE -O1)
    add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 1200)
  endif()
endfunction()
