#!/usr/bin/env node
// Writes what is generated from the schemas that validate: schema/blueprint.schema.json, docs/blueprint.md and docs/openapi.json.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const entry = `
  export { describeApi } from './src/api/describe.ts'
  export { blueprintJsonSchema } from './src/blueprints/json-schema.ts'
  export { blueprintReference } from './src/blueprints/reference.ts'
  export { toolkit } from './src/toolkit/registry.ts'
`
// Within the project, so that packages are found.
const folder = mkdtempSync(join(root, 'node_modules', '.kitbag-schema-'))
try {
  const outfile = join(folder, 'schema.mjs')
  await build({
    stdin: { contents: entry, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile,
    logLevel: 'error',
  })
  const { blueprintJsonSchema, blueprintReference, describeApi, toolkit } = await import(pathToFileURL(outfile).href)
  const schema = blueprintJsonSchema(toolkit)
  mkdirSync(join(root, 'schema'), { recursive: true })
  writeFileSync(join(root, 'schema/blueprint.schema.json'), `${JSON.stringify(schema, null, 2)}\n`)
  writeFileSync(join(root, 'docs/blueprint.md'), blueprintReference(schema))
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(root, 'docs/openapi.json'), `${JSON.stringify(describeApi(toolkit, version), null, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
