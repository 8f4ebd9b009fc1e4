// What the page's numbers link to: the two READMEs as pages, built into web/dist/docs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Marked } from 'marked'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const PAGES = { keyhaul: 'README.md', simulator: 'core/sim/README.md' }

/** As `## What it found` is linked to by `#what-it-found`. */
export const slug = (heading) => heading.toLowerCase().replace(/<[^>]*>|&[a-z#\d]+;/g, '').replace(/[^\p{L}\p{N} -]/gu, '').trim().replaceAll(' ', '-')

const marked = new Marked({
  renderer: {
    heading: (text, level) => `<h${level} id="${slug(text)}">${text}</h${level}>\n`,
    // What scrolls is reached by keyboard.
    code: (code) => `<pre tabindex="0"><code>${code.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</code></pre>\n`,
    table: (header, body) => `<div class="wide" tabindex="0"><table><thead>${header}</thead><tbody>${body}</tbody></table></div>\n`,
    // Files beside it are not here; their names are.
    link: (href, _title, text) => (/^(https:|#)/.test(href) ? `<a href="${href}">${text}</a>` : text),
    image: (_href, _title, text) => text
  }
})

export function buildDocs(out) {
  mkdirSync(out, { recursive: true })
  for (const [name, file] of Object.entries(PAGES)) {
    const body = marked.parse(readFileSync(join(root, file), 'utf8'))
    writeFileSync(join(out, `${name}.html`), `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<title>keyhaul: ${name === 'keyhaul' ? 'what it is and does' : 'the simulator'}</title>
<link rel="icon" href="../icon.svg">
<link rel="stylesheet" href="../page.css">
</head>
<body>
<main class="docs">
<p><a href="../index.html">← back to the simulator</a></p>
${body}</main>
</body>
</html>
`)
  }
}
