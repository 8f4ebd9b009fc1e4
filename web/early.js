// Before everything else: the Worker has most to load, and to unpack. main.js takes it over.
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
// One that did not start is not taken: the next one will say so to whoever made it.
worker.onerror = () => {
  worker.terminate()
  globalThis.keyhaulWorker = undefined
}
globalThis.keyhaulWorker = worker
