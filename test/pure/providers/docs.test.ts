import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import * as aws from '../../../src/providers/aws/settings.ts'
import * as azure from '../../../src/providers/azure/settings.ts'
import { providers } from '../../../src/providers/index.ts'
import * as ssh from '../../../src/providers/ssh/settings.ts'

const fieldsOf = (schema: z.ZodType) =>
  Object.keys(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).properties ?? {})

test.each([
  ['aws', [aws.settingsSchema, aws.credentialsSchema]],
  ['azure', [azure.settingsSchema, azure.credentialsSchema]],
  ['ssh', [ssh.settingsSchema]],
] as const)('the page of %s names every field of its settings and credentials', (kind, schemas) => {
  const text = readFileSync(`docs/providers/${kind}.md`, 'utf8')
  const code = [...text.matchAll(/```[\s\S]*?```|`[^`]*`/g)].join('\n')
  const known = new Set(code.match(/\w+/g))
  expect(schemas.flatMap(fieldsOf).filter((field) => !known.has(field))).toEqual([])
})

test('README.md has a row for every provider', () => {
  const rows = readFileSync('README.md', 'utf8').matchAll(/^\| `(\w+)` /gm)
  expect([...rows].map(([, kind]) => kind).sort()).toEqual(Object.keys(providers).sort())
})
