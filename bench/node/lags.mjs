// The sets of lags that core/src/checksum/sparse.cc could take: all of five up to 760 bytes and of three up to 6,000, with
// what each takes for 16 bytes where lags of up to 160 bytes come out of registers. Which of them is quickest was measured.
// npm run bench -- lags
import { machine } from '../shared/machine.mjs'
import { table } from '../shared/measure.mjs'

const POLYNOMIALS = { 'CRC-32': 0xedb88320, 'CRC-32C': 0x82f63b78 }
const HELD = 160 // bytes: ten vectors of the sixteen registers
const NEAREST = 32 // below it each vector waits for the one before
const SHOWN = 12

/** x^(8n) modulo the polynomial, for n from 0. */
function powers(polynomial, count) {
  const list = new Int32Array(count)
  let value = 1 << 31
  for (let n = 0; n < count; n++) {
    list[n] = value
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? polynomial : 0)
  }
  return list
}

/** From a sum of two powers to the pairs that have it: open addressing, as Map is too slow for 288,000 of them. */
class Pairs {
  #slots = new Int32Array(1 << 20).fill(-1)
  #sums
  constructor(sums) {
    this.#sums = sums
    for (let i = 0; i < sums.length; i++) {
      let slot = Pairs.#slotOf(sums[i])
      while (this.#slots[slot] >= 0) slot = (slot + 1) & 0xfffff
      this.#slots[slot] = i
    }
  }
  static #slotOf(sum) {
    return Math.imul(sum, 2_654_435_761) >>> 12
  }
  /** Indexes of the pairs with this sum, few if any. */
  of(sum, found) {
    found.length = 0
    for (let slot = Pairs.#slotOf(sum); this.#slots[slot] >= 0; slot = (slot + 1) & 0xfffff) {
      if (this.#sums[this.#slots[slot]] === sum) found.push(this.#slots[slot])
    }
    return found
  }
}

/** Sets with 1 + x^(8a) + x^(8b) + x^(8span) = 0, as lags: span, span - a, span - b. */
function ofThree(power, most) {
  const sets = []
  const at = new Map(Array.from(power.subarray(1, most), (value, i) => [value, i + 1]))
  for (let span = NEAREST; span <= most; span++) {
    for (let a = 1; a < span; a++) {
      const b = at.get(power[0] ^ power[span] ^ power[a])
      if (b !== undefined && b > a && b < span) sets.push([span, span - a, span - b])
    }
  }
  return sets
}

/** The same with two pairs between the ends. */
function ofFive(power, most) {
  const [firsts, seconds] = [[], []]
  for (let b = 2; b < most; b++) {
    for (let a = 1; a < b; a++) {
      firsts.push(a)
      seconds.push(b)
    }
  }
  const sums = Int32Array.from(firsts, (a, i) => power[a] ^ power[seconds[i]])
  const pairs = new Pairs(sums)
  const sets = []
  const found = []
  for (let span = NEAREST; span <= most; span++) {
    const rest = power[0] ^ power[span]
    for (let i = 0; i < sums.length && seconds[i] < span; i++) {
      for (const j of pairs.of(sums[i] ^ rest, found)) {
        // Found once: the first pair is before the second.
        if (seconds[i] < firsts[j] && seconds[j] < span) sets.push([span, span - firsts[i], span - seconds[i], span - firsts[j], span - seconds[j]])
      }
    }
  }
  return sets
}

/** Instructions for 16 bytes, and the turns of the two load units: a load across two lines takes two. */
function costOf(lags) {
  const near = lags.filter((lag) => lag <= HELD)
  const far = lags.filter((lag) => lag > HELD)
  const shuffles = near.filter((lag) => lag % 16 !== 0).length
  const loads = 1 + far.length
  const slots = 1 + far.reduce((sum, lag) => sum + (lag % 16 === 0 ? 1 : 1 + 15 / 64), 0)
  return { lags, loads, slots, shuffles, instructions: loads + shuffles + lags.length + 1 }
}

console.log(`${machine()}\n`)
for (const [name, polynomial] of Object.entries(POLYNOMIALS)) {
  const power = powers(polynomial, 6_001)
  for (const [terms, most, sets] of [['five', 760, ofFive(power, 760)], ['three', 6_000, ofThree(power, 6_000)]]) {
    const usable = sets.filter((lags) => lags[lags.length - 1] >= NEAREST).map(costOf)
    usable.sort((a, b) => Math.max(a.instructions / 6, a.slots / 2) - Math.max(b.instructions / 6, b.slots / 2) || a.lags[0] - b.lags[0])
    console.log(`${name}, ${terms} lags up to ${most} bytes: ${sets.length} sets, ${usable.length} with none below ${NEAREST}\n`)
    const rows = usable.slice(0, SHOWN).map(({ lags, loads, slots, shuffles, instructions }) => [lags.join(', '), loads, slots.toFixed(2), shuffles, lags.length, instructions])
    console.log(`${table(['lags', 'loads', 'turns of a load unit', 'shuffles', 'additions', 'instructions'], rows)}\n`)
  }
}
