// Embind's JavaScript where it handles more than we have: types that are registered before
// the functions that use them (wasm/bindings/types.cc), numbers only, and no overloads. What
// wraps a call and counts its arguments stays Embind's own.
mergeInto(LibraryManager.library, {
  $registerType__deps: ['$registeredTypes'],
  $registerType: function (id, type) {
    registeredTypes[id] = type
  },
  $whenDependentTypesAreResolved__deps: ['$registeredTypes'],
  $whenDependentTypesAreResolved: function (own, ids, use) {
    use(ids.map(function (id) { return registeredTypes[id] }))
  },
  _embind_register_void__deps: ['$registerType'],
  _embind_register_void: function (id) {
    registerType(id, { name: 'void', 'toWireType': function () {}, 'fromWireType': function () {} })
  },
  _embind_register_integer__deps: ['$registerType'],
  _embind_register_integer: function (id) {
    var convert = function (value) { return value >>> 0 }
    registerType(id, {
      'fromWireType': convert,
      'toWireType': function (destructors, value) { return convert(value) },
      destructorFunction: null
    })
  },
  _embind_register_float__deps: ['$registerType'],
  _embind_register_float: function (id) {
    registerType(id, {
      'fromWireType': function (value) { return value },
      'toWireType': function (destructors, value) { return value },
      destructorFunction: null
    })
  },
  $exposePublicSymbol__deps: [],
  $exposePublicSymbol: function () {},
  $replacePublicSymbol__deps: [],
  $replacePublicSymbol: function (name, value) {
    Module[name] = value
  },
  $embind__requireFunction__deps: [],
  $embind__requireFunction: function (signature, pointer) {
    return getWasmTableEntry(pointer)
  },
  $readLatin1String__deps: [],
  $readLatin1String: function (address) {
    var text = ''
    while (HEAPU8[address]) text += String.fromCharCode(HEAPU8[address++])
    return text
  },
  $throwUnboundTypeError__deps: [],
  $throwUnboundTypeError: function () {},
  $throwBindingError__deps: [],
  $throwBindingError: function (message) {
    throw new TypeError(message)
  },
  // A broken invariant, or no more memory: say so, not just "abort".
  abort: function () {
    throw new Error('keyhaul: the core has stopped; it ran out of memory or broke a rule of its own')
  }
})
