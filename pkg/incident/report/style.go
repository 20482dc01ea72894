package report

// styleText is the style of the page: light, dark on a screen that asks for it, and light on paper.
const styleText = `
:root { color-scheme: light; --back: #fff; --text: #1b1f24; --soft: #57606a; --line: #d5dae0; --head: #f3f5f7; --bar: #3b78c3;
  --vm: #1f2d3d; --warning: #b35c00; --problem: #c3122f; --problem-back: #fdecee; --warning-back: #fff4e2; --good: #1a6b34; --code: #eef1f4;
  --before: #c9d1d9; --cleanup: #f3c48a; --scheduler: #f8e382; --room: #f3a6c6; --owner: #d9c2f0; --disks: #a6cbf5; --boot: #9adfd9; --arrived: #2f8f4e; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --back: #14181d; --text: #e4e8ec; --soft: #9ba7b3; --line: #343c45;
  --head: #1f252c; --bar: #5a9bea; --vm: #dfe7ef; --warning: #f5a640; --problem: #ff6b7d; --problem-back: #3a1a20; --warning-back: #362812; --good: #5fce86; --code: #232a32;
  --before: #56616d; --cleanup: #7a4c10; --scheduler: #675a08; --room: #8a2f5e; --owner: #5c4189; --disks: #1f4f8a; --boot: #12605c; --arrived: #5fce86; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 20px; }
h1 { font-size: 24px; margin: 0 0 12px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 26px 0 8px; break-after: avoid; }
bdi, td, li, code { unicode-bidi: isolate; }
.status { display: inline-block; font-size: 15px; padding: 2px 10px; border: 2px solid; border-radius: 12px; vertical-align: 3px; }
.status.good { color: var(--good); } .status.bad { color: var(--problem); } .status.open, .status.unproven { color: var(--warning); }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 8px 0 18px; }
caption { text-align: left; color: var(--soft); padding: 2px 0; }
th, td { text-align: left; vertical-align: top; padding: 3px 8px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { background: var(--head); overflow-wrap: normal; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.n { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; white-space: nowrap; }
thead th.n { white-space: normal; }
td.whole { white-space: nowrap; }
.wide { overflow-x: auto; }
.steps { width: auto; } .steps th, .steps td { padding-right: 24px; }
.facts { font-size: 15px; margin: 0; } .facts th { width: 124px; font-weight: 600; color: var(--soft); }
tr.problem td { background: var(--problem-back); } tr.warning td { background: var(--warning-back); }
tr.problem .result { color: var(--problem); font-weight: 600; } tr.warning .result { color: var(--warning); font-weight: 600; }
.todo { border: 1px solid var(--line); border-left: 6px solid var(--soft); padding: 4px 18px 10px; margin-top: 18px; }
.todo.bad { border-left-color: var(--problem); } .todo.open, .todo.unproven { border-left-color: var(--warning); } .todo.good { border-left-color: var(--good); }
.todo h2 { margin-top: 8px; } .todo ul { margin: 0; padding-left: 20px; } .todo li { margin: 4px 0; overflow-wrap: anywhere; break-inside: avoid; }
pre { margin: 3px 0; padding: 4px 10px; background: var(--code); white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
code { font: inherit; }
svg { display: block; width: 100%; min-width: 760px; height: auto; break-inside: avoid; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
svg text { font-size: 13px; fill: var(--text); } svg text.axis { fill: var(--soft); } svg text.lane { font-weight: 600; }
svg .grid { stroke: var(--line); } svg .edge { stroke: var(--soft); } svg .bar { fill: var(--bar); } svg .vm { fill: var(--vm); shape-rendering: crispEdges; }
svg .warning { fill: var(--warning); stroke: var(--back); } svg .problem { fill: var(--problem); stroke: var(--back); }
svg .hop.before { fill: var(--before); } svg .hop.cleanup { fill: var(--cleanup); } svg .hop.scheduler { fill: var(--scheduler); }
svg .hop.room { fill: var(--room); } svg .hop.owner { fill: var(--owner); } svg .hop.disks { fill: var(--disks); } svg .hop.boot { fill: var(--boot); }
svg .hop.failed { fill: var(--problem); } svg .hop.unproven { fill: var(--warning); } svg .hop.arrived { fill: var(--arrived); }
svg text.in { font-size: 11px; } svg text.in.failed { fill: var(--back); }
footer { color: var(--soft); font-size: 13px; margin-top: 20px; }
@media print { main { max-width: none; padding: 0; } td.whole { white-space: nowrap; }
.wide { overflow: visible; } svg { min-width: 0; } .facts { font-size: 12px; } pre { font-size: 11px; } body { font-size: 12px; } table { font-size: 10px; } tr td { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
`
