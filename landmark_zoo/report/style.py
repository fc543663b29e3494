"""How the page looks: on a desk, on a phone, on paper, by day and by night."""

LIGHT = """--paper: #fff; --panel: #f5f6f8; --ink: #171a1f; --muted: #59606b; --line: #dde1e7; --accent: #2f5fd0;
--good: #15803d; --bad: #c8222b; --junk: #8b929c; --mark: #fff3d6;
--series-0: #2f5fd0; --series-1: #c2570c; --series-2: #0f766e; --series-3: #8b3fb0; --series-4: #59606b;"""

DARK = """--paper: #12151a; --panel: #1b1f26; --ink: #e8eaee; --muted: #a2a9b4; --line: #313741; --accent: #8fb0ff;
--good: #3fbf6f; --bad: #ff6b6b; --junk: #8b929c; --mark: #3a3117;
--series-0: #7ea6ff; --series-1: #f59a4a; --series-2: #4fd1b8; --series-3: #cf9bf0; --series-4: #a2a9b4;"""

STYLE = """
:root { color-scheme: light dark; LIGHT }
@media (prefers-color-scheme: dark) { :root { DARK } }
@media print { :root { color-scheme: light; LIGHT } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; }
body > * { max-width: 1120px; margin-inline: auto; padding-inline: 20px; }
header { padding-top: 40px; }
h1 { font-size: clamp(1.6rem, 4vw, 2.3rem); line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 14px;
  overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 0 0 6px; letter-spacing: -0.01em; }
h3 { font-size: 1rem; margin: 26px 0 8px; }
p { margin: 0 0 14px; max-width: 76ch; }
.lead { font-size: 1.08rem; }
.hint { color: var(--muted); font-size: 0.92rem; }
section { padding-block: 26px; border-top: 1px solid var(--line); scroll-margin-top: 10px; }
nav { padding-block: 6px 22px; }
nav ol { display: flex; flex-wrap: wrap; gap: 6px 8px; list-style: none; margin: 0; padding: 0; font-size: 0.9rem; }
nav a { display: block; padding: 3px 12px; border: 1px solid var(--line); border-radius: 99px; text-decoration: none;
  color: var(--ink); }
nav a:hover, nav a:focus-visible { border-color: var(--accent); color: var(--accent); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 20px 0; }
.tiles div { background: var(--panel); border-radius: 12px; padding: 14px 18px; display: flex; flex-direction: column; }
.tiles strong { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.tiles span { overflow-wrap: anywhere; }
small, .tiles small { color: var(--muted); font-size: 0.82em; white-space: nowrap; }
.tiles small { white-space: normal; }
.scroll { overflow-x: auto; margin: 10px 0 18px; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; max-width: 46ch; }
thead th { color: var(--muted); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 500; min-width: 8em; }
.marked > * { background: var(--mark); }
.marked > th::before { content: "≠ "; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 8px 28px;
  align-items: start; }
figure { margin: 0; }
.chart svg { display: block; width: 100%; height: auto; max-width: 600px; }
.chart text { font-family: inherit !important; }
code { font: 0.86em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.ranking { display: grid; grid-template-columns: 124px minmax(0, 1fr); gap: 6px 16px; padding: 14px 0;
  border-bottom: 1px dashed var(--line); break-inside: avoid; }
.ranking:last-child { border-bottom: 0; }
.ranking figcaption { font-size: 0.8rem; color: var(--muted); margin-top: 3px; }
.strip { display: grid; grid-template-columns: repeat(10, 1fr); gap: 6px; }
.system { font-size: 0.88rem; margin: 8px 0 3px; max-width: none; color: var(--muted); }
.system:first-child { margin-top: 0; }
.system b { color: var(--ink); font-weight: 600; }
.frame { display: block; position: relative; aspect-ratio: 1; border: 4px solid var(--junk); border-radius: 7px;
  overflow: hidden; background: var(--panel); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.frame img { display: block; width: 100%; height: 100%; object-fit: cover; }
.key { display: inline-block; padding: 0 7px; border: 3px solid var(--junk); border-radius: 6px; font-size: 0.85rem;
  color: var(--ink); }
.query-frame { border-color: var(--accent); }
.query-frame img { object-fit: contain; }
.positive { border-color: var(--good); } .negative { border-color: var(--bad); }
.frame b { position: absolute; right: 0; bottom: 0; width: 18px; height: 18px; font-size: 12px; line-height: 19px;
  text-align: center; color: var(--paper); background: var(--junk); border-top-left-radius: 6px; }
.positive b { background: var(--good); } .negative b { background: var(--bad); }
.missing { display: flex; width: 100%; height: 100%; align-items: center; justify-content: center; padding: 4px;
  background: #9aa1ab; color: #14171b; font: 10px/1.25 ui-monospace, Menlo, Consolas, monospace; text-align: center;
  overflow-wrap: anywhere; }
.overlays { break-inside: avoid; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 12px; align-items: start; }
.panels img { display: block; width: 100%; border-radius: 8px; }
.panels figcaption { font-size: 0.82rem; color: var(--muted); margin-top: 4px; overflow-wrap: anywhere; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 10px 8px; margin: 8px 0 18px; }
.groups { display: flex; flex-wrap: wrap; gap: 14px 18px; margin: 8px 0 18px; align-items: flex-start; }
.groups figure { max-width: 100%; break-inside: avoid; }
.row { display: flex; flex-wrap: wrap; gap: 4px; }
.row img, .row .missing { width: 104px; height: 104px; object-fit: cover; border-radius: 5px; }
.examples .groups { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); }
.examples .row { display: grid; grid-template-columns: repeat(6, 1fr); }
.examples .row img, .examples .row .missing { width: 100%; height: auto; aspect-ratio: 1; }
.sheet figure { break-inside: avoid; }
.sheet img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--panel);
  border-radius: 5px; }
.sheet .missing { aspect-ratio: 1; height: auto; }
.sheet figcaption, .groups figcaption { font-size: 0.78rem; line-height: 1.3; color: var(--muted); margin-top: 3px;
  overflow-wrap: anywhere; }
footer { color: var(--muted); font-size: 0.85rem; padding-block: 20px 50px; border-top: 1px solid var(--line); }
@media (max-width: 700px) {
  body { font-size: 15px; }
  body > * { padding-inline: 14px; }
  header { padding-top: 22px; }
  .ranking { grid-template-columns: 1fr; }
  .ranking .query-frame { width: 140px; }
  td small { display: block; }
  th, td { padding-right: 12px; }
  .strip { grid-template-columns: repeat(5, 1fr); }
  .panels { grid-template-columns: repeat(2, 1fr); }
  .sheet { grid-template-columns: repeat(3, 1fr); }
  .tiles { grid-template-columns: repeat(2, 1fr); }
  .tiles div { padding: 10px 12px; }
  .tiles strong { font-size: 1.5rem; }
}
@media print {
  body { font-size: 10pt; }
  nav { display: none; }
  h2, h3, section > p { break-after: avoid; }
  .scroll { overflow: visible; }
  .chart, .tiles div, tr { break-inside: avoid; }
}
""".replace("LIGHT", LIGHT).replace("DARK", DARK)
