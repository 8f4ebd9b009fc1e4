/** Emscripten's factory; it fills the object that it is given, and instantiates by `instantiate`. */
export default function createKeyhaul(module: {
  instantiate(imports: WebAssembly.Imports, use: (result: { instance: WebAssembly.Instance }) => void): void
}): unknown
