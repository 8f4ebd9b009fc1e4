// What a page takes on its way into the core. node bench/node/record.mjs [--quick], after npm run
// bench built the core's code with an export for each part.
import { readFileSync } from 'node:fs'
import { machine } from '../shared/machine.mjs'
import { recordTable } from '../shared/record.mjs'

const wasm = readFileSync(new URL('../../build/wasm/wasm/keyhaul_bench_record.wasm', import.meta.url))
const rounds = process.argv.includes('--quick') ? 11 : 101
// Buffers of their own, as a database gives them.
console.log(`${machine()}\n`)
console.log(recordTable(wasm, { rounds, bytesOf: (length, fill) => Buffer.alloc(length, fill), pages: 1 }))
