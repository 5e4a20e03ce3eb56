import { barText, isOk, type Row, valueText } from './row.ts'

export interface Box {
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  arch: string
  node: string
}

function boxText({ cpu, cores, memoryGiB, kernel, arch, node }: Box): string {
  return `${cores} cores of ${cpu} (${arch}), ${memoryGiB} GiB, Linux ${kernel}, Node ${node}`
}

/** For a terminal. */
export function textTable(box: Box, rows: Row[]): string {
  const cells = rows.map((row) => [isOk(row) ? 'ok' : 'MISS', row.name, valueText(row), barText(row)])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0), 0))
  const lines = rows.flatMap((row, index) => [
    (cells[index] ?? [])
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
    `      ${row.what}`,
    `      ${row.detail}`,
  ])
  return [boxText(box), '', ...lines, ''].join('\n')
}

/** For docs/performance.md. */
export function markdownTable(box: Box, rows: Row[]): string {
  const lines = rows.map(
    (row) =>
      `| ${row.name} | ${row.what} | ${valueText(row)} | ${barText(row)} | ${isOk(row) ? 'yes' : 'no'} | ${row.detail} |`,
  )
  return [
    boxText(box),
    '',
    '| row | what | value | bar | reached | made of |',
    '|---|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}
