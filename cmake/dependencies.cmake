# Foreign libraries. Each has one home among our folders; tests/lint/layers.sh holds the list of homes.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(YAJL REQUIRED IMPORTED_TARGET yajl)
pkg_check_modules(CYAML REQUIRED IMPORTED_TARGET libcyaml)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)

# grpc's pkg-config file drags in some eighty -labsl_*; the C core needs only these two.
find_library(GRPC_LIBRARY grpc REQUIRED)
find_library(GPR_LIBRARY gpr REQUIRED)
add_library(entente_grpc INTERFACE)
target_link_libraries(entente_grpc INTERFACE ${GRPC_LIBRARY} ${GPR_LIBRARY})

find_library(GLPK_LIBRARY glpk REQUIRED)
pkg_check_modules(GSL REQUIRED IMPORTED_TARGET gsl)
find_library(CMOCKA_LIBRARY cmocka)
find_program(PROTOC_C protoc-c REQUIRED)
