# The door for other programs: the headers of include/autoprivacy, one shared library that exports exactly what they
# declare, and what find_package(autoprivacy) and pkg-config need. Components: library, development (all but the library
# itself), programs, search (autoprivacy-search), python. Consumers see no folder of src/ and no library that
# those use.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(AP_LIBRARY)
  set(exported ${PROJECT_SOURCE_DIR}/cmake/autoprivacy.map)
  add_library(libautoprivacy SHARED $<TARGET_OBJECTS:ap_app_api>)
  add_library(autoprivacy::autoprivacy ALIAS libautoprivacy)
  target_link_libraries(libautoprivacy PRIVATE ap_app_api)
  target_include_directories(libautoprivacy INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(libautoprivacy INTERFACE cxx_std_20)
  target_link_options(libautoprivacy PRIVATE LINKER:--version-script=${exported} LINKER:--no-undefined)
  set_target_properties(libautoprivacy PROPERTIES
    OUTPUT_NAME autoprivacy EXPORT_NAME autoprivacy LINKER_LANGUAGE CXX LINK_DEPENDS ${exported}
    # Until version 1 every minor version may change the interface.
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

  install(TARGETS libautoprivacy EXPORT autoprivacyTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          COMPONENT library NAMELINK_COMPONENT development)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/autoprivacy DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          COMPONENT development FILES_MATCHING PATTERN "*.h")
  install(FILES ${PROJECT_BINARY_DIR}/include/autoprivacy/version.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/autoprivacy COMPONENT development)

  set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/autoprivacy)
  install(EXPORT autoprivacyTargets NAMESPACE autoprivacy:: DESTINATION ${config_folder} COMPONENT development)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/autoprivacyConfig.cmake.in
                                ${PROJECT_BINARY_DIR}/autoprivacyConfig.cmake INSTALL_DESTINATION ${config_folder})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/autoprivacyConfigVersion.cmake
                                   COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/autoprivacyConfig.cmake ${PROJECT_BINARY_DIR}/autoprivacyConfigVersion.cmake
          DESTINATION ${config_folder} COMPONENT development)
  file(RELATIVE_PATH root_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/autoprivacy.pc.in ${PROJECT_BINARY_DIR}/autoprivacy.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/autoprivacy.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endif()

install(TARGETS autoprivacy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/deploy DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT programs)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/completions/autoprivacy
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT programs)
if(AP_TORCH)
  install(TARGETS autoprivacy-search RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT search)
endif()
