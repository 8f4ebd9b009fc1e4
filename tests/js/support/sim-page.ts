// What tests of the page with the element in it have in common.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { BrowserContextOptions, Page } from 'playwright-core'
import type { KeyhaulSim } from '../../../dist/sim/element/element.js'
import type { Site } from './site.ts'

export type Sim = KeyhaulSim
export const SIM = 'keyhaul-sim'
/** Nothing plays by itself. */
export const STILL = { reducedMotion: 'reduce' } as const

/** Once the simulator has looked ahead to the end of the run. */
export async function foreseen(page: Page): Promise<void> {
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim | null)?.foresight !== undefined)
}

export async function openSim(site: Site, hash: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await site.page(hash, { ...STILL, ...options })
  await foreseen(page)
  return page
}

export const get = <T>(page: Page, what: (sim: Sim) => T): Promise<T> => page.$eval(SIM, what as (sim: Element) => T) as Promise<T>

export async function closePage(site: Site, page: Page): Promise<void> {
  await page.context().close()
  site.nothingWrong()
}

/** What axe finds, in words; the page has to be opened with `bypassCSP`. */
export async function axeFinds(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(new URL('../../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8'))
  const { passes, found } = await page.evaluate(async () => {
    const { violations, passes: well } = await (globalThis as unknown as { axe: { run(): Promise<{ passes: unknown[]; violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe.run()
    return { passes: well.length, found: violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`) }
  })
  assert.ok(passes >= 8, `too little was looked at: ${passes}`)
  return found
}
