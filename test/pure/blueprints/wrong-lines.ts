import { expect, test } from 'vitest'
import { lines, problemsOf } from './fixture.ts'

export const head = 'apiVersion: kitbag/v1\nname: shop\n'

/** A right blueprint with `web`, `db` and a balancer, in which one line after another is replaced. */
export const right = `apiVersion: kitbag/v1
name: shop
parameters:
  count: { type: integer, minimum: 1, default: 2 }
components:
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8080
    replicas: \${parameters.count}
    env: { URL: "\${db.url}" }
  db:
    recipe: postgresql
    settings: { database: shop }
toolkit:
  loadBalancer:
    listeners:
      - { port: 80, to: web }
`

/** `right` with its line of this number replaced (and with what follows put after it). */
const withLine = (number: number, line: string) => {
  const all = right.split('\n')
  all[number - 1] = line
  return all.join('\n')
}

/** Name of a case, number of the line, what stands there, and all problems of that. */
type WrongLine = [string, number, string, string[]]

/** Each of these is found, with nothing beside it. */
export function testWrongLines(cases: WrongLine[]): void {
  test.each(cases)('%s', (_, number, line, wanted) => {
    expect(lines(problemsOf(withLine(number, line)))).toEqual(wanted)
  })
}
