// Embind's JavaScript for what we have: functions of numbers, whose types are registered before them
// (wasm/bindings/types.cc), and no overloads. A number needs no conversion but one: WASM's 32 bits
// are signed. So a function is called as it is, without Embind's wrapper, which looks at each
// argument and takes several times what most of the calls take.
mergeInto(LibraryManager.library, {
  $unsignedType: '0',
  _embind_register_void__deps: [],
  _embind_register_void: function () {},
  _embind_register_integer__deps: ['$unsignedType'],
  _embind_register_integer: function (id) {
    unsignedType = id
  },
  _embind_register_float__deps: [],
  _embind_register_float: function () {},
  $asciiAt__deps: [],
  $asciiAt: function (address) {
    var text = ''
    while (HEAPU8[address]) text += String.fromCharCode(HEAPU8[address++])
    return text
  },
  _embind_register_function__deps: ['$unsignedType', '$asciiAt', '$getWasmTableEntry'],
  _embind_register_function: function (name, count, types, signature, invoker, target) {
    var call = getWasmTableEntry(target)
    Module[asciiAt(name)] = HEAP32[types >> 2] === unsignedType
      ? function (a, b, c, d, e, f, g) { return call(a, b, c, d, e, f, g) >>> 0 }
      : call
  },
  // A fifth more than there is, so that it is seldom; where that is not to be had, what is asked for.
  emscripten_resize_heap__deps: [],
  emscripten_resize_heap: function (bytes) {
    var now = HEAPU8.length
    for (var wish of [Math.min(now * 1.2, now + 100663296), 0]) {
      try {
        wasmMemory.grow((Math.max(bytes >>> 0, wish) - now + 65535) >>> 16)
        updateGlobalBufferAndViews(wasmMemory.buffer)
        return 1
      } catch (_) {}
    }
    return 0
  },
  emscripten_console_error__deps: ['$asciiAt'],
  emscripten_console_error: function (text) {
    console.error(asciiAt(text))
  },
  // A broken invariant, or no more memory: say so, not just "abort".
  abort: function () {
    throw new Error('keyhaul: the core has stopped; it ran out of memory or broke a rule of its own')
  }
})
