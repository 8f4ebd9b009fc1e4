/** Emscripten's factory; it fills the object that it is given, and instantiates by `instantiate`. */
export default function createKeyhaul(module: {
  instantiate(bytes: undefined, imports: WebAssembly.Imports): { then(run: (result: { instance: WebAssembly.Instance }) => void): void }
}): unknown
