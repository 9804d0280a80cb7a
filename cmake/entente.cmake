# entente_library(base [LIBRARIES ...]): the static library of one folder, from every .c below it but main.c.
function(entente_library name)
    cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    if(NOT sources)
        add_library(entente_${name} INTERFACE)
        return()
    endif()
    add_library(entente_${name} STATIC ${sources})
    target_link_libraries(entente_${name} PUBLIC ${ARG_LIBRARIES} PRIVATE entente_flags)
endfunction()

# entente_program(entente-broker broker): the program of one folder, installed in bin/.
function(entente_program program folder)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/main.c)
        return()
    endif()
    add_executable(${program} ${CMAKE_CURRENT_SOURCE_DIR}/main.c)
    target_link_libraries(${program} PRIVATE entente_${folder} entente_flags)
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# entente_test(base test_arena): one cmocka program, one ctest entry named base/test_arena.
function(entente_test folder name)
    add_executable(${folder}_${name} ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${name}.c)
    target_link_libraries(${folder}_${name} PRIVATE entente_${folder} entente_support entente_flags
        ${CMOCKA_LIBRARY})
    add_test(NAME ${folder}/${name} COMMAND ${folder}_${name})
    set_tests_properties(${folder}/${name} PROPERTIES TIMEOUT 120
        ENVIRONMENT "${ENTENTE_TEST_ENVIRONMENT}")
endfunction()

# entente_fuzz(wire LIBRARIES...): tests/fuzz/fuzz_wire.c, run by libFuzzer with ENTENTE_FUZZ; else its corpus
# tests/fuzz/corpus/wire is replayed as the ctest entry fuzz/wire.
function(entente_fuzz name)
    set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
    add_executable(fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/fuzz_${name}.c)
    target_link_libraries(fuzz_${name} PRIVATE ${ARGN} entente_flags)
    if(ENTENTE_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        add_test(NAME fuzz/${name} COMMAND fuzz_${name} -runs=0 ${corpus})
    else()
        target_sources(fuzz_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/replay.c)
        add_test(NAME fuzz/${name} COMMAND fuzz_${name} ${corpus})
    endif()
    set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 120 ENVIRONMENT "${ENTENTE_TEST_ENVIRONMENT}")
endfunction()
