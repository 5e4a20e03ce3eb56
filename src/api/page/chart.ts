import { html } from 'hono/html'
import type { ServiceView } from '../../toolkit/contract.ts'

type Chart = ServiceView['charts'][number]
type Line = Chart['lines'][number]

const width = 320
const height = 96

/** Kinds of stroke, by the line's place; the stylesheet has as many. */
const strokes = 6

/** A chart as inline SVG, with the newest value of each line below. Nothing in it runs. */
export function chartView({ title, unit, lines }: Chart) {
  const points = lines.flatMap((line) => line.points)
  const times = points.map(({ at }) => at)
  const [from, to] = [Math.min(...times), Math.max(...times)]
  const most = Math.max(0, ...points.map(({ value }) => value ?? 0))
  const x = (at: number) => (to === from ? width : ((at - from) / (to - from)) * width)
  const y = (value: number) => height - 2 - (most === 0 ? 0 : (value / most) * (height - 4))
  const paths = lines.map(
    (line, i) =>
      html`<path class="stroke-${i % strokes}" d="${pathOf(line, x, y)}"><title>${line.label}</title></path>`,
  )
  const legend = lines.map((line, i) => {
    const last = line.points.findLast(({ value }) => value !== null)?.value
    return html`<li class="stroke-${i % strokes}">${line.label} <b>${last === undefined || last === null ? 'no data' : figure(last, unit)}</b></li>`
  })
  return html`<figure data-chart="${title}">
    <figcaption>${title}<small>${most > 0 ? ` up to ${figure(most, unit)}` : ''}</small></figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${paths}</svg>
    <ul>${legend.length > 0 ? legend : html`<li>no data</li>`}</ul>
  </figure>`
}

/** A gap in the values is a gap in the line. */
function pathOf({ points }: Line, x: (at: number) => number, y: (value: number) => number): string {
  let pen = 'M'
  return points
    .map(({ at, value }) => {
      if (value === null) {
        pen = 'M'
        return ''
      }
      const part = `${pen}${x(at).toFixed(1)},${y(value).toFixed(1)}`
      pen = 'L'
      return part
    })
    .join('')
}

/** A value for people, in a unit that suits its size. */
export function figure(value: number, unit: string): string {
  if (unit === 'ratio') return `${round(value * 100)} %`
  if (unit === 'seconds') return value < 1 ? `${round(value * 1000)} ms` : `${round(value)} s`
  if (unit === 'requests per second') return `${round(value)}/s`
  if (unit === 'bytes per second') return value < 1e6 ? `${round(value / 1e3)} kB/s` : `${round(value / 1e6)} MB/s`
  return `${round(value)} ${unit}`
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)))
}
