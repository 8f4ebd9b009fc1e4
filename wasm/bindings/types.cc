// The three types that cross by Embind. Embind's own list of thirty, its strings, wide
// strings and memory views would come along, in the module and in the glue, though
// nothing uses them: wasm/CMakeLists.txt links Embind without it where it can.
#ifdef KEYHAUL_OWN_EMBIND_TYPES
#include <emscripten/bind.h>
#include <emscripten/em_macros.h>

#include <limits>

using emscripten::internal::TypeID;

extern "C" {

// Before the functions that use them are bound: embind_numbers.js does not wait for types.
EMSCRIPTEN_KEEPALIVE __attribute__((constructor(101))) void
__embind_register_native_and_builtin_types() {
  using namespace emscripten::internal;
  _embind_register_void(TypeID<void>::get(), "void");
  _embind_register_integer(TypeID<unsigned>::get(), "unsigned int", sizeof(unsigned), 0,
                           std::numeric_limits<unsigned>::max());
  _embind_register_float(TypeID<double>::get(), "double", sizeof(double));
}

}  // extern "C"
#endif
