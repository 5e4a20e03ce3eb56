import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blueprintJsonSchema } from '../../../src/blueprints/json-schema.ts'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'

const file = join(packageRoot(), 'schema/blueprint.schema.json')

test('schema/blueprint.schema.json is current (`npm run schema` writes it)', () => {
  const text = `${JSON.stringify(blueprintJsonSchema(toolkit), null, 2)}\n`
  if (process.env.KITBAG_WRITE_SCHEMA) writeFileSync(file, text)
  expect(readFileSync(file, 'utf8')).toBe(text)
})
