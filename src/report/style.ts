import { dark, hexOf, light, type Palette, shadesOf } from './colours'
import { shades } from './heatLevels'

/** The style sheet of the page. */
export const style = `:root { color-scheme: light dark; ${variables(light)} }
@media (prefers-color-scheme: dark) { :root { ${variables(dark)} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
h3 { font-size: 1.08rem; margin: 1.6rem 0 .4rem; }
h4 { font-size: 1rem; margin: 1.2rem 0 .2rem; }
p { margin: .4rem 0; max-width: 46rem; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code { font: .9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
footer { color: var(--muted); margin-top: 2rem; padding-bottom: 2rem; }
.note, figcaption, caption, dt, .place, .column { color: var(--muted); }
.note { font-size: .9rem; }
.state { font-size: 1.05rem; }
.tag { background: var(--text); color: var(--ground); border-radius: .25rem; padding: 0 .35rem; font-size: .8rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: .8rem 0; padding: 0; }
nav a { display: inline-block; padding: .15rem 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: .6rem 1.5rem; margin: .6rem 0; }
dt { font-size: .9rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .6rem 0; max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .2rem 0 .4rem; font-size: .9rem; min-width: 16rem; }
caption span { display: inline-block; position: sticky; left: 0; max-width: min(100%, calc(100vw - 2.5rem)); }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
th { font-weight: 600; }
tbody th { font-weight: 500; }
td, tbody th { max-width: 34rem; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; }
tr.best td, tr.best th { background: var(--panel); font-weight: 600; }
tr.total td, tr.total th { background: var(--panel); }
table.matrix thead th { vertical-align: bottom; white-space: normal; max-width: 12rem; overflow-wrap: break-word; }
table.matrix td { min-width: 3.6rem; border: 1px solid var(--ground); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 1rem 1.5rem; }
figure { margin: .4rem 0; max-width: 38rem; min-width: 0; }
figure.map { max-width: 48rem; }
figure.map svg { min-width: 34rem; }
figcaption { font-size: .9rem; margin-bottom: .3rem; }
.legend > span { white-space: nowrap; margin-left: 1rem; color: var(--text); }
svg { display: block; width: 100%; height: auto; }
svg.key { display: inline-block; width: 28px; height: 10px; vertical-align: middle; }
svg text { fill: var(--muted); font: 12px system-ui, sans-serif; }
svg text.label { fill: var(--text); }
.grid { stroke: var(--rule); stroke-width: .6; }
.axis { stroke: var(--muted); stroke-width: 1; fill: none; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.diagonal { stroke: var(--text); stroke-width: 1.3; stroke-dasharray: 5 4; }
.bar { fill: var(--right${shades}); stroke: var(--look0); }
.mean { fill: var(--look1); stroke: var(--ground); }
.point { fill: var(--look0); fill-opacity: .55; }
.ground { fill: var(--panel); stroke: var(--rule); }
.quiet { fill-opacity: 0; }
.quiet:hover { fill-opacity: 1; }
${looks()}
${cells('right')}
${cells('wrong')}
.swatch { display: inline-block; width: .9em; height: .9em; vertical-align: -.1em; }
ol.rows { list-style: none; margin: .5rem 0; padding: 0; }
ol.rows > li { border-left: 3px solid var(--rule); padding: .1rem 0 .1rem .8rem; margin: .7rem 0; }
ol.rows p { max-width: 60rem; overflow-wrap: anywhere; }
.place { margin-right: .4rem; }
.column::after { content: ":"; }
bdi.name { font-weight: 600; }
.facts bdi.name { overflow-wrap: anywhere; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.text { unicode-bidi: isolate; }
.words { white-space: pre-wrap; }
details.text[open] > summary { color: var(--muted); }
details > summary { cursor: pointer; max-width: 60rem; overflow-wrap: anywhere; padding: .15rem 0; }
.more { color: var(--link); text-decoration: underline; white-space: nowrap; }
@media (max-width: 34rem) {
  body { font-size: 15px; }
  th, td { padding: .3rem .45rem; }
  svg text { font-size: 15px; }
}
@media print {
  :root { color-scheme: light; ${variables(light)} }
  body { font-size: 10pt; }
  nav, .more, .quiet { display: none; }
  .charts { grid-template-columns: 1fr 1fr; }
  header, main, footer { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  figure, tr, ol.rows > li, dl > div { break-inside: avoid; }
  h2, h3, h4, caption { break-after: avoid; }
  figure.map svg { min-width: 0; }
  rect, td, .tag, .swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`

function variables(palette: Palette): string {
  const { looks: lines, right, wrong, ...plain } = palette
  const colours = [
    ...Object.entries(plain),
    ...lines.map((colour, at) => [`look${at}`, colour] as const),
    ...shadesOf(palette, right).map((colour, at) => [`right${at}`, colour] as const),
    ...shadesOf(palette, wrong).map((colour, at) => [`wrong${at}`, colour] as const),
  ]
  return colours.map(([name, colour]) => `--${name}: ${hexOf(colour)};`).join(' ')
}

/** Lines that can be told apart without their colours. */
function looks(): string {
  const dashes = ['none', '7 3', '2 3', '9 3 2 3']
  return dashes
    .map((dash, at) => {
      const colour = `var(--look${at})`
      return `.line.look${at} { stroke: ${colour}; stroke-dasharray: ${dash}; } .dot.look${at} { fill: ${colour}; }`
    })
    .join('\n')
}

function cells(kind: 'right' | 'wrong'): string {
  return Array.from({ length: shades + 1 }, (_, level) => {
    const colour = `var(--${kind}${level})`
    return `.${kind}${level} { background: ${colour}; fill: ${colour}; }`
  }).join('\n')
}
