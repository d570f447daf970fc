# How our own code is compiled: C11, every warning an error, optional sanitizers. One interface target, busbar-flags,
# carries it, so that nothing else has to say it again.

set(BUSBAR_SANITIZE "" CACHE STRING "sanitizers to build with: address,undefined or thread")
option(BUSBAR_WERROR "warnings are errors" ON)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # gnu11: POSIX and Linux calls, typeof-free
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# The build tree looks like an installed one, so that busbard runs in place.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(BUSBAR_LIBRARY_OUTPUT ${PROJECT_BINARY_DIR}/lib/busbar)
set(BUSBAR_LIBDIR ${CMAKE_INSTALL_LIBDIR}/busbar)
set(BUSBAR_PLUGINDIR ${BUSBAR_LIBDIR}/plugins)

add_library(busbar-flags INTERFACE)
target_compile_definitions(busbar-flags INTERFACE _GNU_SOURCE)
target_compile_options(busbar-flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -fstack-protector-strong $<$<BOOL:${BUSBAR_WERROR}>:-Werror>)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(busbar-flags INTERFACE _FORTIFY_SOURCE=2)
endif()
target_link_options(busbar-flags INTERFACE -Wl,-z,relro,-z,now)
if(BUSBAR_SANITIZE)
  target_compile_options(busbar-flags INTERFACE -fsanitize=${BUSBAR_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(busbar-flags INTERFACE -fsanitize=${BUSBAR_SANITIZE})
endif()

find_package(PkgConfig REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(Threads REQUIRED)
