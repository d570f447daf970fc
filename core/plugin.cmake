# bb_add_plugin(<name> SOURCES <file>… [PACKAGES <pkg-config module>…] [LIBRARIES <target>…])
#
# Builds <name>.so into the plugin folder. It sees the public headers only (and those of helper libraries it names in
# LIBRARIES). With a package missing, the plugin is left out and the summary says so. <name>-objects holds the same
# objects for unit tests.
function(bb_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PACKAGES;LIBRARIES")

  set(packages "")
  foreach(package IN LISTS arg_PACKAGES)
    pkg_check_modules(PC_${package} QUIET IMPORTED_TARGET ${package})
    if(NOT PC_${package}_FOUND)
      set_property(GLOBAL APPEND PROPERTY BUSBAR_LEFT_OUT "${name} (needs ${package})")
      return()
    endif()
    list(APPEND packages PkgConfig::PC_${package})
  endforeach()

  add_library(${name}-objects OBJECT ${arg_SOURCES})
  target_link_libraries(${name}-objects PUBLIC busbar-flags busbar-headers ${packages} ${arg_LIBRARIES} Threads::Threads)
  target_compile_options(${name}-objects PRIVATE -fvisibility=hidden)
  target_include_directories(${name}-objects PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})

  add_library(${name} MODULE)
  target_link_libraries(${name} PRIVATE ${name}-objects)
  set_target_properties(${name} PROPERTIES
    PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${BUSBAR_LIBRARY_OUTPUT}/plugins
    BUILD_RPATH_USE_ORIGIN ON INSTALL_RPATH "$ORIGIN/..")
  # The agent refuses what others may write to, and some distributions give the group that right by default (umask 002).
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND chmod go-w $<TARGET_FILE:${name}> $<TARGET_FILE_DIR:${name}> VERBATIM)
  install(TARGETS ${name} LIBRARY DESTINATION ${BUSBAR_PLUGINDIR})
  set_property(GLOBAL APPEND PROPERTY BUSBAR_BUILT ${name})
endfunction()

function(bb_print_summary)
  get_property(built GLOBAL PROPERTY BUSBAR_BUILT)
  get_property(left_out GLOBAL PROPERTY BUSBAR_LEFT_OUT)
  list(JOIN built " " built)
  message(STATUS "plugins: ${built}")
  foreach(reason IN LISTS left_out)
    message(STATUS "left out: ${reason}")
  endforeach()
endfunction()
