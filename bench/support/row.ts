/** What a row's value is measured by. */
export type Bar = { atMost: number } | { atLeast: number }

/** One figure of the benchmark, before it is measured. */
export interface RowSpec {
  name: string
  /** What is measured, for people. */
  what: string
  /** Of value and bar: `x` (a ratio), `s`, `MB`, `%`, `failed`. */
  unit: string
  bar: Bar
}

export interface Measured {
  /** null: it could not be measured, and `detail` says why. */
  value: number | null
  /** What else has to be so, beside the bar. Default true. */
  holds?: boolean
  /** What the value was made of. */
  detail: string
}

export type Row = RowSpec & Measured

export function isOk({ value, bar, holds = true }: Row): boolean {
  if (value === null || !holds) return false
  return 'atMost' in bar ? value <= bar.atMost : value >= bar.atLeast
}

/** `<= 1.3 x` */
export function barText({ bar, unit }: RowSpec): string {
  return 'atMost' in bar ? `<= ${bar.atMost} ${unit}` : `>= ${bar.atLeast} ${unit}`
}

/** Three significant digits: more is noise. */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(3))
}

export function valueText({ value, unit }: Row): string {
  return value === null ? 'not measured' : `${rounded(value)} ${unit}`
}
