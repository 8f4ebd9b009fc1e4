// Constructed, not written into the page: a policy without inline styles allows it.
export const STYLE = `
:host {
  --keyhaul-paper: #f6f4ee; --keyhaul-surface: #fffefb; --keyhaul-ink: #1c1f24; --keyhaul-quiet: #5b6068;
  --keyhaul-line: #d5d0c4; --keyhaul-empty: #ebe7dc; --keyhaul-accent: #0b6b5f; --keyhaul-on-accent: #ffffff;
  --keyhaul-bad: #b3261e; --keyhaul-bad-paper: #fdecea; --keyhaul-good-paper: #e3f2ee; --keyhaul-changed: #7a5200;
  --keyhaul-range-0: #1668b0; --keyhaul-range-1: #b4530a; --keyhaul-range-2: #4d7c1f; --keyhaul-range-3: #8a3fa8;
  --keyhaul-range-4: #0f7d86; --keyhaul-range-5: #a32c5f; --keyhaul-range-6: #6b6a1c; --keyhaul-range-7: #4a55b8;
  display: block; container-type: inline-size; color: var(--keyhaul-ink); color-scheme: light;
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums;
}
:host([hidden]) { display: none; }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { DARK } }
:host([theme="dark"]) { DARK }
* { box-sizing: border-box; margin: 0; }
.frame { background: var(--keyhaul-paper); border: 1px solid var(--keyhaul-line); border-radius: 16px; overflow: hidden;
  display: grid; grid-template-columns: minmax(0, 1fr) minmax(300px, 356px); grid-template-areas: "caption caption" "scene oracle" "transport transport" "more more"; }
.caption { grid-area: caption; padding: 14px 22px 10px; font-size: clamp(17px, 2.2cqi, 24px); line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; min-height: 2.9em; display: flex; align-items: center; text-wrap: balance; }
.caption.bad { color: var(--keyhaul-bad); }
.scene { grid-area: scene; padding: 0 14px 6px 22px; min-width: 0; }
.canvas { position: relative; width: 100%; height: clamp(330px, 34cqi, 420px); }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: 10px; }
.who { display: flex; justify-content: space-between; gap: 12px; color: var(--keyhaul-quiet); font-size: 12px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; padding: 4px 0 10px; color: var(--keyhaul-quiet); font-size: 12px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; vertical-align: -2px; margin-right: 5px; background: var(--keyhaul-range-0); }
.legend i.empty { background: var(--keyhaul-empty); box-shadow: inset 0 0 0 1px var(--keyhaul-line); }
.legend i.changed { background: linear-gradient(var(--keyhaul-changed) 34%, var(--keyhaul-range-0) 34%); }
.legend i.page { border-radius: 50%; }
.legend i.twice { border-radius: 50%; background: none; box-shadow: inset 0 0 0 2px var(--keyhaul-range-0); }
.legend i.lost { background: none; color: var(--keyhaul-bad); font: 700 14px/12px system-ui; text-align: center; }
.oracle { grid-area: oracle; margin: 0 22px 14px 8px; padding: 16px 18px; border-radius: 12px; background: var(--keyhaul-good-paper); overflow: auto; height: 0; min-height: calc(100% - 14px); }
.oracle.bad { background: var(--keyhaul-bad-paper); }
.oracle h2 { margin-bottom: 2px; }
h2 { font-size: 13px; font-weight: 600; color: var(--keyhaul-quiet); letter-spacing: 0.01em; margin-bottom: 6px; }
h3 { font-size: 13px; font-weight: 600; margin: 12px 0 4px; }
.verdict { font-size: 26px; font-weight: 700; line-height: 1.15; letter-spacing: -0.02em; color: var(--keyhaul-accent); }
.bad .verdict { color: var(--keyhaul-bad); }
.numbers, .trace, .end, .quiet { color: var(--keyhaul-quiet); font-size: 12.5px; }
.numbers { margin: 6px 0 10px; }
.promises { list-style: none; padding: 0; display: grid; gap: 3px; font-size: 13px; }
.promises li { padding-left: 20px; position: relative; }
.promises li::before { content: "✓"; position: absolute; left: 0; color: var(--keyhaul-accent); font-weight: 700; }
.promises li.bad { color: var(--keyhaul-bad); font-weight: 700; }
.promises li.bad::before { content: "✗"; color: var(--keyhaul-bad); }
.trace { margin-top: 12px; }
.hash { font: 600 13px ui-monospace, "SF Mono", Menlo, monospace; color: var(--keyhaul-ink); }
.broken { margin-bottom: 12px; }
.broken .what { font-weight: 600; }
.life { font: 11.5px/1.5 ui-monospace, Menlo, monospace; padding: 8px; list-style: none; max-height: 190px; overflow: auto; background: var(--keyhaul-surface); border-radius: 8px; overflow-wrap: anywhere; }
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
.time { font-size: 12.5px; color: var(--keyhaul-quiet); min-width: 21ch; }
.rate { display: flex; align-items: center; gap: 8px; font-size: 12.5px; color: var(--keyhaul-quiet); }
.rate .speed { width: 92px; }
.rate output { min-width: 6ch; }
.more { grid-area: more; display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.more > section { padding: 16px 22px 18px; min-width: 0; }
.more > section + section { border-left: 1px solid var(--keyhaul-line); }
.chips, .buttons { display: flex; flex-wrap: wrap; gap: 6px; margin-bottom: 8px; }
.chip { min-width: 36px; border-radius: 18px; }
.chip[aria-pressed="true"] { background: var(--keyhaul-ink); color: var(--keyhaul-paper); border-color: var(--keyhaul-ink); }
.buttons button { text-transform: none; }
button.chaos { border-color: var(--keyhaul-bad); color: var(--keyhaul-bad); }
.sliders { display: grid; gap: 2px; }
.sliders label { display: grid; grid-template-columns: 9ch minmax(0, 1fr) 6ch; gap: 8px; align-items: center; font-size: 12.5px; }
.sliders output { text-align: right; }
.bugs { width: 100%; }
.bug, .ahead { margin-top: 6px; }
.ahead { min-height: 3em; }
.ahead:has(button) { font-weight: 600; }
.lifeline { display: flex; gap: 2px; list-style: none; padding: 0; margin: 10px 0; min-height: 44px; overflow: auto; }
[hidden] { display: none !important; }
.lifeline li { flex: 1 1 0; min-width: 62px; padding: 5px 7px; font-size: 11.5px; line-height: 1.25; background: var(--keyhaul-empty); border-radius: 4px; overflow: hidden; }
.lifeline li b { display: block; font-weight: 600; }
.lifeline li:first-child { border-radius: 8px 4px 4px 8px; }
.lifeline li.done { background: var(--keyhaul-good-paper); }
.lifeline li.stopped, .lifeline li.failed, .lifeline li.mismatch { background: var(--keyhaul-bad-paper); }
.lifeline li:last-child { outline: 2px solid var(--keyhaul-accent); outline-offset: -2px; }
.facts { margin-top: 10px; display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 8px 12px; }
.facts dt { color: var(--keyhaul-quiet); font-size: 11.5px; }
.facts dd { font-weight: 600; }
.log ol { list-style: none; padding: 0; height: 290px; overflow: auto; font-size: 12.5px; }
.log li { display: grid; grid-template-columns: 7.5ch 2.2ch minmax(0, 1fr); gap: 6px; padding: 1px 0; }
.log time { color: var(--keyhaul-quiet); text-align: right; }
.log li.bad { color: var(--keyhaul-bad); font-weight: 700; }
.share { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; grid-column: 1 / -1; padding: 12px 22px; border-top: 1px solid var(--keyhaul-line); }
.share code { font: 12px ui-monospace, Menlo, monospace; overflow-wrap: anywhere; flex: 1 1 260px; color: var(--keyhaul-quiet); }
.surveyed { flex-basis: 100%; font-size: 13px; font-weight: 600; }
.surveyed:empty { display: none; }
.share label { display: flex; gap: 6px; align-items: center; font-size: 12.5px; }
.share input { font: inherit; width: 11ch; min-height: 34px; padding: 2px 8px; color: inherit; background: var(--keyhaul-surface); border: 1px solid var(--keyhaul-line); border-radius: 8px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.wrong { padding: 30px; color: var(--keyhaul-bad); }
b[data-range="0"] { color: var(--keyhaul-range-0); } b[data-range="1"] { color: var(--keyhaul-range-1); }
b[data-range="2"] { color: var(--keyhaul-range-2); } b[data-range="3"] { color: var(--keyhaul-range-3); }
b[data-range="4"] { color: var(--keyhaul-range-4); } b[data-range="5"] { color: var(--keyhaul-range-5); }
b[data-range="6"] { color: var(--keyhaul-range-6); } b[data-range="7"] { color: var(--keyhaul-range-7); }
:host([controls="few"]) :is(.more, .share) { display: none; }
@container (max-width: 880px) {
  .frame { grid-template-columns: minmax(0, 1fr); grid-template-areas: "caption" "scene" "transport" "oracle" "more"; }
  .scene { padding: 0 14px 6px; }
  .oracle { margin: 14px; height: auto; min-height: 0; }
  .transport { grid-template-columns: auto 1fr; padding: 12px 14px; }
  .line { grid-column: 1 / -1; grid-row: 1; }
  .time { justify-self: end; }
  .rate { grid-column: 1 / -1; }
  .rate .speed { flex: 1; width: auto; }
  .more { grid-template-columns: minmax(0, 1fr); }
  .more > section { padding: 16px 14px; }
  .more > section + section { border-left: 0; border-top: 1px solid var(--keyhaul-line); }
  .caption { padding: 14px; min-height: 3.9em; }
  .share { padding: 12px 14px; }
}
@container (min-width: 520px) and (max-width: 880px) { .promises { grid-template-columns: 1fr 1fr; } }
@container (max-width: 460px) {
  .frame { border-radius: 10px; }
  .time { grid-column: 1 / -1; justify-self: start; min-width: 0; }
  .canvas { height: 380px; }
}
`.replaceAll('DARK', `
  --keyhaul-paper: #12161b; --keyhaul-surface: #1a1f26; --keyhaul-ink: #ebe8e1; --keyhaul-quiet: #a3a8b0;
  --keyhaul-line: #363d47; --keyhaul-empty: #2a3038; --keyhaul-accent: #4fc3b0; --keyhaul-on-accent: #06231e;
  --keyhaul-bad: #ff8a80; --keyhaul-bad-paper: #3a1a1a; --keyhaul-good-paper: #15302c; --keyhaul-changed: #ffd166;
  --keyhaul-range-0: #5aa9e6; --keyhaul-range-1: #f0944d; --keyhaul-range-2: #94c45a; --keyhaul-range-3: #c78be0;
  --keyhaul-range-4: #4fc1cb; --keyhaul-range-5: #ec7fae; --keyhaul-range-6: #c9c45e; --keyhaul-range-7: #9aa5ff;
  color-scheme: dark;`)
