import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../demo/paths.ts'

const names = ['f1', 'f2', 'f3', 'f4', 'f5', 'f6']

/** The hand-written program that the recipe `resources18` is measured against, with the same files in it. */
export function resources18Floor(): string {
  const files = names.map((name) => ({
    name,
    text: readFileSync(join(root, 'bench/recipes/resources18/files', name), 'utf8'),
  }))
  const sums = files.map(({ name, text }) => `${createHash('sha256').update(text).digest('hex')}  /etc/labtest/${name}`)
  const writes = files.map(({ name, text }) => `right ${name} || write ${name} <<'END'\n${text}END`)
  return readFileSync(join(root, 'bench/floors/resources18.sh'), 'utf8')
    .replace('@sums@', sums.join('\n'))
    .replace('@files@', writes.join('\n'))
}
