import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const src = fileURLToPath(new URL('../../../src', import.meta.url))

/** The import table of docs/architecture.md: folder -> folders that it may import. `*` is every folder. */
const allowed: Record<string, string[]> = {
  model: [],
  lib: ['model'],
  blueprints: ['model', 'lib'],
  recipes: ['model', 'lib'],
  shell: ['model', 'lib'],
  providers: ['model', 'lib', 'providers/contract'],
  toolkit: ['model', 'lib', 'toolkit/contract'],
  planner: ['model', 'lib', 'blueprints', 'recipes', 'toolkit'],
  activities: ['*', '!api', '!cli', '!workflows', '!main'],
  workflows: ['model', 'type activities', 'type lib'],
  db: ['model', 'lib'],
  api: ['model', 'lib', 'blueprints', 'recipes', 'planner', 'toolkit', 'db', 'workflows/messages'],
  cli: ['model', 'lib', 'blueprints', 'api/client', 'toolkit/autoscaler/replay'],
  main: ['*'],
}

/** A folder's own units: providers and services may not import each other. */
const separate = new Set(['providers', 'toolkit'])

interface Import {
  from: string
  to: string
  typeOnly: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8')
  const found: Import[] = []
  for (const match of text.matchAll(
    /(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'|import\(\s*'(\.[^']+)'/g,
  )) {
    const target = match[2] ?? match[3]
    if (!target) continue
    const to = relative(src, resolve(dirname(file), target)).replace(/\\/g, '/')
    if (to.startsWith('..')) continue
    found.push({ from: relative(src, file), to, typeOnly: match[1] !== undefined })
  }
  return found
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const [folder = '', unit = ''] = from.split('/')
  const [target = '', targetUnit = ''] = to.split('/')
  if (folder === target) {
    if (!separate.has(folder) || from.split('/').length === 2) return true
    return unit === targetUnit || targetUnit === 'contract.ts'
  }
  const rules = allowed[folder] ?? []
  if (rules.includes(`!${target}`)) return false
  if (rules.includes('*') || rules.includes(target)) return true
  if (typeOnly && rules.includes(`type ${target}`)) return true
  return rules.some((rule) => rule.includes('/') && (to === `${rule}.ts` || to.startsWith(`${rule}/`)))
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(src, name))

describe('import table', () => {
  test('every folder under src is in the table', () => {
    const folders = readdirSync(src, { withFileTypes: true }).map((entry) => entry.name)
    expect(folders.sort()).toEqual(Object.keys(allowed).sort())
  })

  test('no import goes against it', () => {
    const refused = files.flatMap(importsOf).filter((found) => !isAllowed(found))
    expect(refused.map(({ from, to }) => `${from} may not import ${to}`)).toEqual([])
  })

  test('model imports nothing but zod, workflows no zod and no Node built-in', () => {
    const bare = (folder: string) =>
      files
        .filter((file) => relative(src, file).startsWith(`${folder}/`))
        .flatMap((file) =>
          [...readFileSync(file, 'utf8').matchAll(/^import\s+(type\s)?[^'";]*?from\s+'([^.'][^']*)'/gm)].map((m) => ({
            file: relative(src, file),
            typeOnly: m[1] !== undefined,
            name: m[2] ?? '',
          })),
        )
    expect(
      bare('model').filter(({ name, typeOnly }) => name !== 'zod' && !(typeOnly && name.startsWith('node:'))),
    ).toEqual([])
    expect(bare('workflows').filter(({ name, typeOnly }) => !typeOnly && !name.startsWith('@temporalio/'))).toEqual([])
  })
})
