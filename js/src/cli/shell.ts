/** A word as a shell takes it. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** What asks for a rate again, unless it is known already; 0 is none. */
export const rateFlag = (rate: number | undefined, known?: number): string => (rate === undefined || rate === (known ?? 0) ? '' : ` --rate ${rate === 0 ? 'none' : rate}`)
