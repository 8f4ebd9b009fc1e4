// Constructed, not written into the page: a policy without inline styles allows it.
export const STYLE = `
:host {
  --keyhaul-paper: #f6f4ee; --keyhaul-surface: #fffefb; --keyhaul-ink: #1c1f24; --keyhaul-quiet: #5b6068;
  --keyhaul-line: #d5d0c4; --keyhaul-empty: #ebe7dc; --keyhaul-accent: #0b6b5f; --keyhaul-on-accent: #ffffff;
  --keyhaul-bad: #b3261e; --keyhaul-bad-paper: #fdecea; --keyhaul-good-paper: #e3f2ee; --keyhaul-changed: #7a5200;
  --keyhaul-range-0: #1668b0; --keyhaul-range-1: #b4530a; --keyhaul-range-2: #4d7c1f; --keyhaul-range-3: #8a3fa8;
  --keyhaul-range-4: #0d7780; --keyhaul-range-5: #a32c5f; --keyhaul-range-6: #6b6a1c; --keyhaul-range-7: #4a55b8;
  --keyhaul-store-0: #2472c8; --keyhaul-store-1: #c26a0a; --keyhaul-store-2: #17492f; --keyhaul-store-3: #a8749a;
  display: block; container-type: inline-size; color: var(--keyhaul-ink); color-scheme: light;
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums;
}
:host([hidden]) { display: none; }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { DARK } }
:host([theme="dark"]) { DARK }
* { box-sizing: border-box; margin: 0; }
.frame { background: var(--keyhaul-paper); border: 1px solid var(--keyhaul-line); border-radius: 16px; overflow: hidden;
  display: grid; grid-template-columns: minmax(0, 1fr) minmax(300px, 356px); grid-template-areas: "caption caption" "notice notice" "scene oracle" "transport transport" "share share" "heat heat" "more more"; }
.caption { grid-area: caption; padding: 14px 22px 10px; font-size: clamp(17px, 2.2cqi, 24px); line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; min-height: 2.9em; display: flex; align-items: center; text-wrap: balance; }
.caption.bad { color: var(--keyhaul-bad); }
.scene { grid-area: scene; padding: 0 14px 6px 22px; min-width: 0; display: flex; flex-direction: column; }
.canvas { position: relative; width: 100%; flex: 1 0 auto; height: clamp(350px, 34cqi, 420px); }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.who { display: flex; justify-content: space-between; gap: 12px; color: var(--keyhaul-quiet); font-size: 12px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; padding: 4px 0 10px; color: var(--keyhaul-quiet); font-size: 12px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; vertical-align: -2px; margin-right: 5px; background: var(--keyhaul-range-0); }
.legend i.empty { background: var(--keyhaul-empty); box-shadow: inset 0 0 0 1px var(--keyhaul-line); }
.legend i.changed { background: linear-gradient(var(--keyhaul-changed) 34%, var(--keyhaul-surface) 34% 46%, var(--keyhaul-range-0) 46%); }
.legend i.page { border-radius: 50%; }
.legend i.twice { border-radius: 50%; background: none; box-shadow: inset 0 0 0 2px var(--keyhaul-range-0); }
.legend i.late { background: none; border-radius: 0; box-shadow: inset 0 0 0 2px var(--keyhaul-range-0); }
.legend i.damaged { background: none; border-radius: 0; width: 9px; height: 9px; margin: 0 7px 0 2px; vertical-align: 0; box-shadow: inset 0 0 0 2px var(--keyhaul-bad); transform: rotate(45deg); }
.legend i.differ { background: var(--keyhaul-changed); } .legend i.held { background: var(--keyhaul-bad); }
.legend i.failed { background: linear-gradient(#0000 64%, var(--keyhaul-bad) 64%); }
.legend i.violation { background: linear-gradient(90deg, #0000 4px, var(--keyhaul-bad) 4px 8px, #0000 8px); }
.legend i.bytes { background: linear-gradient(90deg, var(--keyhaul-range-0) 45%, #0000 45% 55%, #0000 55%), linear-gradient(#0000 60%, var(--keyhaul-range-0) 60%); }
.legend i.load { background: linear-gradient(90deg, color-mix(in srgb, var(--keyhaul-range-0) 40%, var(--keyhaul-empty)) 50%, var(--keyhaul-range-0) 50%); }
.legend i.bars { width: 24px; border-radius: 0; background: linear-gradient(90deg, var(--keyhaul-store-0) 8px, var(--keyhaul-empty) 8px 11px, var(--keyhaul-ink) 11px 13px, var(--keyhaul-empty) 13px) 0 1px / 24px 6px no-repeat, linear-gradient(90deg, var(--keyhaul-quiet) 14px, var(--keyhaul-empty) 14px) 0 9px / 24px 3px no-repeat; }
.legend i.lost { background: none; color: var(--keyhaul-bad); font: 700 14px/12px system-ui; text-align: center; }
.oracle { grid-area: oracle; margin: 0 22px 14px 8px; padding: 8px 18px; border-radius: 12px; overflow: auto; height: 0; min-height: calc(100% - 14px); --paper: var(--keyhaul-good-paper);
  background: linear-gradient(#0000, var(--paper) 60%) bottom / 100% 36px no-repeat local, linear-gradient(#0000, color-mix(in srgb, var(--keyhaul-ink) 26%, #0000)) bottom / 100% 14px no-repeat, var(--paper); }
.oracle.bad { --paper: var(--keyhaul-bad-paper); min-height: max(calc(100% - 14px), 510px); }
h2 { font-size: 13px; font-weight: 600; color: var(--keyhaul-quiet); letter-spacing: 0.01em; margin-bottom: 6px; }
h3 { font-size: 13px; font-weight: 600; margin: 12px 0 4px; }
.verdict { font-size: 26px; font-weight: 700; line-height: 1.15; letter-spacing: -0.02em; color: var(--keyhaul-accent); }
.bad .verdict { color: var(--keyhaul-bad); }
.numbers { display: flex; flex-wrap: wrap; gap: 2px 13px; margin: 2px 0; }
.numbers > div { display: flex; gap: 5px; }
.numbers > div:nth-child(-n + 2) { flex-basis: 100%; }
.numbers dd { color: var(--keyhaul-ink); font-weight: 600; margin: 0; }
.numbers, .trace, .end, .quiet { color: var(--keyhaul-quiet); font-size: 12.5px; }
.numbers .bad dd, .numbers .bad .what { color: var(--keyhaul-bad); }
.promises { list-style: none; padding: 0; display: grid; font-size: 13px; line-height: 1.32; }
.promises li { padding-left: 20px; position: relative; }
.promises li::before { content: "✓"; position: absolute; left: 0; color: var(--keyhaul-accent); font-weight: 700; }
.promises li.bad { color: var(--keyhaul-bad); font-weight: 700; }
.promises li.bad::before { content: "✗"; color: var(--keyhaul-bad); }
:is(.trace, .end) { line-height: 1.35; }
.hash { font: 600 12.5px ui-monospace, "SF Mono", Menlo, monospace; color: var(--keyhaul-ink); }
.bad .numbers > :not(.bad) { display: none; }
.broken { margin: 6px 0 10px; }
.broken .found { font-weight: 600; }
.life { font: 11.5px/1.5 ui-monospace, Menlo, monospace; padding: 4px 8px; list-style: none; background: var(--keyhaul-surface); border-radius: 8px; overflow-wrap: anywhere; }
.life li + li { border-top: 1px solid var(--keyhaul-line); }
.transport { grid-area: transport; display: grid; grid-template-columns: auto minmax(120px, 1fr) auto auto; gap: 8px 18px; align-items: center; padding: 12px 22px; border-block: 1px solid var(--keyhaul-line); background: var(--keyhaul-surface); }
.keys { display: flex; gap: 4px; }
button, select { font: inherit; color: var(--keyhaul-ink); background: var(--keyhaul-surface); border: 1px solid var(--keyhaul-line); border-radius: 8px; min-height: 34px; padding: 4px 10px; cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--keyhaul-ink); }
button:disabled, select:disabled { opacity: 0.5; cursor: default; }
:focus-visible { outline: 3px solid var(--keyhaul-accent); outline-offset: 2px; }
.keys button { min-width: 36px; font-size: 15px; }
button.play { background: var(--keyhaul-accent); border-color: var(--keyhaul-accent); color: var(--keyhaul-on-accent); min-width: 54px; }
.line { position: relative; padding-top: 12px; }
.marks { position: absolute; inset: 0 8px auto; height: 12px; pointer-events: none; }
.marks i { position: absolute; top: 0; width: 2px; height: 10px; margin-left: -1px; background: var(--keyhaul-quiet); opacity: 0.55; }
.marks i.violation { width: 4px; height: 14px; background: var(--keyhaul-bad); opacity: 1; border-radius: 2px; }
.marks i.hand { background: var(--keyhaul-range-1); opacity: 1; width: 3px; border-radius: 50%; height: 7px; }
.marks i.healed { background: var(--keyhaul-accent); opacity: 1; height: 14px; }
input[type="range"] { width: 100%; accent-color: var(--keyhaul-accent); min-height: 24px; margin: 0; }
.rate { display: flex; align-items: center; gap: 8px; font-size: 12.5px; color: var(--keyhaul-quiet); }
.rate .speed { width: 92px; }
.rate output { min-width: 6ch; }
.heat { grid-area: heat; padding: 14px 22px 12px; border-bottom: 1px solid var(--keyhaul-line); min-width: 0; }
.heatbox { position: relative; height: 190px; }
.heatbox canvas { cursor: crosshair; border-radius: 4px; }
.read { font-size: 12.5px; min-height: 3em; padding-top: 6px; }
.legend i.owner0 { background: var(--keyhaul-store-0); } .legend i.owner1 { background: var(--keyhaul-store-1); }
.legend i.owner2 { background: var(--keyhaul-store-2); } .legend i.owner3 { background: var(--keyhaul-store-3); }
.legend i.hot { background: linear-gradient(90deg, color-mix(in srgb, var(--keyhaul-store-0) 30%, var(--keyhaul-empty)), var(--keyhaul-store-0)); width: 24px; }
.legend i.also { background: linear-gradient(color-mix(in srgb, var(--keyhaul-store-0) 50%, var(--keyhaul-empty)) 66%, var(--keyhaul-store-2) 66%); }
.legend i.fenced { background: linear-gradient(var(--keyhaul-bad) 50%, var(--keyhaul-surface) 50%); box-shadow: inset 0 0 0 1px var(--keyhaul-bad); }
.legend i.tick { background: linear-gradient(90deg, transparent 5px, var(--keyhaul-ink) 5px, var(--keyhaul-ink) 7px, transparent 7px); }
.lag { height: 72px; margin: 6px 0; position: relative; }
.waits { font-size: 12.5px; font-weight: 600; }
:is(.waits, .surveyed):empty { display: none; }
.notice { grid-area: notice; padding: 0 22px 12px; font-weight: 600; overflow-wrap: anywhere; }
.what { all: unset; cursor: help; text-decoration: underline dotted; text-decoration-thickness: 1px; text-underline-offset: 3px; color: inherit; }
.what:hover { color: var(--keyhaul-ink); }
.what:focus-visible { outline: 3px solid var(--keyhaul-accent); outline-offset: 2px; border-radius: 2px; }
.clock { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 12.5px; color: var(--keyhaul-quiet); min-width: 31ch; }
.clock b { color: var(--keyhaul-ink); font-weight: 600; }
.jumps { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 6px; align-items: center; font-size: 13px; }
.jumps button { min-height: 30px; padding: 2px 10px; }
.jumps .helpbutton { margin-left: auto; border-radius: 50%; width: 30px; padding: 0; font-weight: 700; }
.bookmarks { display: inline-flex; flex-wrap: wrap; gap: 6px; }
.mark { display: inline-flex; }
.mark button:first-child { border-radius: 8px 0 0 8px; }
.mark .remove { border-radius: 0 8px 8px 0; border-left: 0; padding: 2px 8px; color: var(--keyhaul-quiet); }
.parting { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin-bottom: 10px; }
.parting .quiet { flex-basis: 100%; }
.help { border: 1px solid var(--keyhaul-line); border-radius: 14px; padding: 0; width: min(680px, calc(100vw - 24px)); max-height: min(88vh, 720px); margin: auto; background: var(--keyhaul-surface); color: var(--keyhaul-ink); overflow: hidden; }
.help[open] { display: flex; flex-direction: column; }
.helphead { display: flex; justify-content: space-between; align-items: center; padding: 8px 12px 8px 24px; border-bottom: 1px solid var(--keyhaul-line); }
.help::backdrop { background: rgb(0 0 0 / 0.45); }
.helpbody { padding: 16px 24px 24px; min-height: 0; overflow: auto; }
.help h2 { font-size: 15px; color: var(--keyhaul-ink); margin: 0 0 10px; }
.helphead h2 { font-size: 17px; margin: 0; }
.help dl + h2 { margin-top: 22px; }
.help .close { font-size: 18px; width: 34px; padding: 0; }
.keylist > div { display: grid; grid-template-columns: 9ch 1fr; gap: 12px; padding: 3px 0; }
.keylist dd, .glossary dd { margin: 0; }
.glossary > div { padding: 6px 10px; margin: 0 -10px; border-radius: 8px; }
.glossary dt { font-weight: 600; }
.glossary dd { color: var(--keyhaul-quiet); }
.glossary .asked { background: var(--keyhaul-good-paper); }
kbd { font: 12.5px ui-monospace, Menlo, monospace; border: 1px solid var(--keyhaul-line); border-radius: 4px; padding: 0 5px; margin-right: 3px; white-space: nowrap; }
.wild { margin-top: 8px; font-size: 12.5px; }
a { color: var(--keyhaul-accent); }
.fork { grid-area: fork; min-width: 0; margin: 14px; padding: 14px; border: 1px solid var(--keyhaul-line); border-radius: 12px; background: var(--keyhaul-surface); }
.forkhead { display: flex; justify-content: space-between; align-items: baseline; gap: 12px; }
.forksaid { font-size: 13px; margin-bottom: 8px; }
.difference { width: 100%; border-collapse: collapse; font-size: 12.5px; margin-bottom: 10px; table-layout: fixed; }
.difference :is(th, td) { text-align: left; padding: 2px 6px 2px 0; font-weight: 400; overflow-wrap: anywhere; border-top: 1px solid var(--keyhaul-line); }
.difference thead :is(th, td) { border-top: 0; color: var(--keyhaul-quiet); }
.difference td { font-weight: 600; }
.difference .differs { color: var(--keyhaul-bad); }
.frame.forked { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); grid-template-areas: "caption fork" "notice fork" "scene fork" "oracle fork" "compare fork" "transport transport" "share share" "heat heat" "more more"; grid-template-rows: auto auto auto auto 1fr; }
.compare { grid-area: compare; align-self: start; margin: 0 8px 14px 22px; min-width: 0; }
.forked .canvas { height: 380px; flex-grow: 0; }
.forked > .caption { font-size: 17px; min-height: 137px; padding: 63px 22px 8px; }
.forked .oracle.oracle { height: auto; min-height: 0; align-self: start; margin: 0 8px 14px 22px; }
.more { grid-area: more; display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.more > section { padding: 16px 22px 18px; min-width: 0; }
.more > section + section { border-left: 1px solid var(--keyhaul-line); }
.chips { contain: layout style; }
.chips, .buttons { display: flex; flex-wrap: wrap; gap: 6px; margin-bottom: 8px; }
.chip { min-width: 36px; border-radius: 18px; }
.chip[aria-pressed="true"] { background: var(--keyhaul-ink); color: var(--keyhaul-paper); border-color: var(--keyhaul-ink); }
button.chaos { border-color: var(--keyhaul-bad); color: var(--keyhaul-bad); }
.sliders { display: grid; gap: 2px; }
.sliders label { display: grid; grid-template-columns: 9ch minmax(0, 1fr) 6ch; gap: 8px; align-items: center; font-size: 12.5px; }
.sliders output { text-align: right; }
.bugs { width: 100%; }
.bug, .ahead { margin-top: 6px; }
.ahead { min-height: 3em; }
.ahead:has(button) { font-weight: 600; }
.lifeline { display: flex; flex-wrap: wrap; gap: 2px; list-style: none; padding: 0; margin: 10px 0; }
[hidden] { display: none !important; }
.lifeline li { flex: 1 1 auto; display: flex; gap: 6px; padding: 2px 7px; font-size: 11.5px; background: var(--keyhaul-empty); border-radius: 4px; white-space: nowrap; }
.lifeline b { font-weight: 600; }
.lifeline li.done { background: var(--keyhaul-good-paper); }
.lifeline li.stopped, .lifeline li.failed, .lifeline li.mismatch { background: var(--keyhaul-bad-paper); }
.lifeline li:last-child { outline: 2px solid var(--keyhaul-accent); outline-offset: -2px; }
.facts { margin-top: 10px; display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 8px 12px; }
.facts dt { color: var(--keyhaul-quiet); font-size: 11.5px; }
.facts dd { font-weight: 600; }
.log ol { list-style: none; padding: 0; height: 0; min-height: max(290px, calc(100% - 30px)); overflow: auto; font-size: 12.5px; }
.log li { display: grid; grid-template-columns: 7.5ch 2.2ch minmax(0, 1fr); gap: 6px; padding: 1px 0; }
.log ol:empty::before { content: "Nothing yet: play, or step on."; color: var(--keyhaul-quiet); }
.log span { overflow-wrap: anywhere; }
.log time { color: var(--keyhaul-quiet); text-align: right; }
.log li.bad { color: var(--keyhaul-bad); font-weight: 700; }
.share { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; grid-area: share; padding: 12px 22px; border-bottom: 1px solid var(--keyhaul-line); }
.share > :is(span, code, p) { flex-basis: 100%; }
.share code { font: 12px ui-monospace, Menlo, monospace; overflow-wrap: anywhere; color: var(--keyhaul-quiet); }
.surveyed { font-weight: 600; }
.share label { display: flex; gap: 6px; align-items: center; font-size: 12.5px; }
.share input[type=text] { font: inherit; width: 11ch; min-height: 34px; padding: 2px 8px; color: inherit; background: var(--keyhaul-surface); border: 1px solid var(--keyhaul-line); border-radius: 8px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; contain: strict; }
.hidden table { table-layout: fixed; width: 1000px; }
.wrong { padding: 30px; color: var(--keyhaul-bad); line-height: 2.4; text-align: center; }
.frame.unshown { display: grid; place-content: center; grid-template: none; min-height: inherit; }
.frame.unshown > :not(.wrong) { display: none; }
:host([controls="fork"]) :is(.transport, .heat, .range, .log, .share) { display: none; }
:host([controls="fork"]) .frame { border: 0; border-radius: 0; background: none; }
:host([controls="fork"]) :is(.scene, .caption) { padding: 0 0 8px; }
:host([controls="fork"]) .caption { font-size: 17px; min-height: 74px; }
:host([controls="fork"]) .oracle.oracle { margin: 0 0 12px; }
:host([controls="fork"]) .canvas { height: 380px; }
:host([controls="fork"]) .more > section { padding: 0; }
:host([controls="few"]) :is(.more, .share, .heat, .jumps) { display: none; }
@media (forced-colors: active) {
  canvas { background: var(--keyhaul-paper); }
  :is(canvas, .legend i, .marks i, .lifeline li, .chip, .log b) { forced-color-adjust: none; }
  .lifeline li { color: var(--keyhaul-ink); }
}
@container (max-width: 880px) {
  .frame, .frame.forked { grid-template-columns: minmax(0, 1fr); grid-template-rows: none; grid-template-areas: "caption" "notice" "scene" "fork" "compare" "transport" "oracle" "share" "heat" "more"; }
  .scene { padding: 0 14px 6px; }
  .compare { margin: 0 14px 14px; }
  .clock { min-width: 0; justify-self: end; }
  .oracle.oracle, .forked .oracle.oracle { margin: 14px; height: auto; min-height: 0; }
  .transport { grid-template-columns: auto 1fr; padding: 12px 14px; }
  .line { grid-column: 1 / -1; grid-row: 1; }
  .rate { grid-column: 1 / -1; }
  .rate .speed { flex: 1; width: auto; }
  .more { grid-template-columns: minmax(0, 1fr); }
  .more > section { padding: 16px 14px; }
  .more > section + section { border-left: 0; border-top: 1px solid var(--keyhaul-line); }
  .caption, .forked > .caption { padding: 14px; min-height: 3.9em; }
  .heat { padding: 14px; }
  .share { padding: 12px 14px; }
}
@container (min-width: 520px) and (max-width: 880px) { :host(:not([controls="fork"])) .promises { grid-template-columns: 1fr 1fr; } }
@container (max-width: 460px) {
  .frame { border-radius: 10px; }
  .clock { grid-column: 1 / -1; justify-self: start; }
  .canvas { height: 380px; }
}
`.replaceAll('DARK', `
  --keyhaul-paper: #12161b; --keyhaul-surface: #1a1f26; --keyhaul-ink: #ebe8e1; --keyhaul-quiet: #a3a8b0;
  --keyhaul-line: #363d47; --keyhaul-empty: #2a3038; --keyhaul-accent: #4fc3b0; --keyhaul-on-accent: #06231e;
  --keyhaul-bad: #ff8a80; --keyhaul-bad-paper: #3a1a1a; --keyhaul-good-paper: #15302c; --keyhaul-changed: #ffd166;
  --keyhaul-range-0: #5aa9e6; --keyhaul-range-1: #f0944d; --keyhaul-range-2: #94c45a; --keyhaul-range-3: #c78be0;
  --keyhaul-range-4: #4fc1cb; --keyhaul-range-5: #ec7fae; --keyhaul-range-6: #c9c45e; --keyhaul-range-7: #9aa5ff;
  --keyhaul-store-0: #9bb7b9; --keyhaul-store-1: #b87c06; --keyhaul-store-2: #4ed380; --keyhaul-store-3: #d197f6;
  color-scheme: dark;`)
