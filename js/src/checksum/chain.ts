/**
 * The checksum of bytes that go through `stage` piece by piece. `run` takes how many lie there and
 * what the pieces before them gave; its result is signed.
 */
export function chain(stage: Uint8Array, run: (bytes: number, initial: number) => number, bytes: Uint8Array, initial: number): number {
  let crc = initial
  let at = 0
  for (; bytes.length - at > stage.length; at += stage.length) {
    stage.set(bytes.subarray(at, at + stage.length))
    crc = run(stage.length, crc)
  }
  stage.set(at === 0 ? bytes : bytes.subarray(at))
  return run(bytes.length - at, crc) >>> 0
}
