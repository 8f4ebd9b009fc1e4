import { stripVTControlCharacters } from 'node:util'

/** Where a line goes on, further in than it began. */
const FURTHER = 2
/** What is narrower than that nobody reads. */
const COLUMNS_MIN = 20

/** Undefined: it is no terminal, and lines stay as they are. */
export function columnsOf(stream: { readonly isTTY?: boolean; readonly columns?: number }): number | undefined {
  return stream.isTTY === true && (stream.columns ?? 0) > 0 ? Math.max(stream.columns as number, COLUMNS_MIN) : undefined
}

/** A number goes with its unit. */
const WORD = /(?:\d[\d.,]* (?:us|ms|s|min|h|[kMGT]?B)(?!\w)\S*|\S+) */g

const widthOf = (text: string): number => stripVTControlCharacters(text).length

/** Breaks lines that are longer between words, and where a word is a list that has no room, behind its commas. A command, or the flags of one, that ends a line stays whole, to be copied. */
export function wrapped(text: string, columns: number | undefined): string {
  return columns === undefined ? text : text.split('\n').map((line) => (widthOf(line) > columns ? wrappedLine(line, columns) : line)).join('\n')
}

function wrappedLine(line: string, columns: number): string {
  const indent = /^ */.exec(line)?.[0] ?? ''
  const further = ' '.repeat(indent.length + FURTHER)
  const command = /(?<=: )(?:keyhaul \S|--).*$/.exec(line)?.[0] ?? ''
  const words = line.slice(indent.length, line.length - command.length).match(WORD) ?? []
  const lines = [indent]
  let begun = false
  for (const word of command === '' ? words : [...words, command]) {
    const isList = word !== command && widthOf(word.trimEnd()) > columns - further.length
    for (const piece of isList ? (word.match(/[^,]*(?:,|$) */g) ?? []) : [word]) {
      const last = lines.at(-1) as string
      const fits = widthOf(last) + widthOf(piece.trimEnd()) <= columns
      if (fits || !begun) lines[lines.length - 1] = last + piece
      else lines.push(further + piece)
      begun = true
    }
  }
  return lines.map((one) => one.trimEnd()).join('\n')
}

/** What a command has to say. */
export function say(text: string): void {
  process.stdout.write(wrapped(text, columnsOf(process.stdout)))
}
