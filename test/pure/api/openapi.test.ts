import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createApi } from '../../../src/api/create-api.ts'
import type { ApiDeps } from '../../../src/api/deps.ts'
import { describeApi } from '../../../src/api/describe.ts'
import * as routes from '../../../src/api/routes/index.ts'
import { packageRoot } from '../../../src/lib/package-root.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'

interface Operation {
  operationId: string
  summary: string
  tags: string[]
  security?: unknown[]
  parameters?: { name: string; in: string; schema: unknown }[]
  requestBody?: { content: Record<string, { schema: unknown }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>
}

const read = (path: string) => readFileSync(join(packageRoot(), path), 'utf8')
const { version } = JSON.parse(read('package.json')) as { version: string }
// As a client gets it.
const document = JSON.parse(JSON.stringify(describeApi(toolkit, version)))
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)
const named = operations.map((one) => [`${one.method} ${one.path}`, one] as const)

test('docs/openapi.json is current (`npm run schema` writes it)', () => {
  expect(read('docs/openapi.json')).toBe(`${JSON.stringify(document, null, 2)}\n`)
})

test('every route that is mounted is in the document, and the reverse', () => {
  const api = createApi({ toolkit, version } as ApiDeps)
  const mounted = api.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`)
  expect([...new Set(mounted)].sort()).toEqual(named.map(([name]) => name).sort())
})

test('every file of routes is mounted by its line in index.ts', () => {
  const files = readdirSync(join(packageRoot(), 'src/api/routes')).filter((name) => name !== 'index.ts')
  const adders = files.map((name) => {
    const words = name.replace(/\.ts$/, '').split('-')
    return `add${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`
  })
  expect(Object.keys(routes).sort()).toEqual(adders.sort())
})

describe('the document', () => {
  test('is OpenAPI 3.1 with a title, a version, a security scheme and tags', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(document.info).toMatchObject({ title: 'Kitbag', version })
    expect(document.security).toEqual([{ bearer: [] }])
    expect(document.components.securitySchemes.bearer).toEqual({ type: 'http', scheme: 'bearer' })
  })

  test('gives no operation id twice', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test.each(named)('%s has an id, a summary, a known tag, its parameters and its answers', (_, { path, operation }) => {
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/)
    expect(operation.summary).not.toBe('')
    const tags = (document.tags as { name: string }[]).map(({ name }) => name)
    expect(operation.tags.filter((tag) => !tags.includes(tag))).toEqual([])
    expect(operation.tags).toHaveLength(1)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
    expect(declared.map(({ name }) => name).sort()).toEqual(inPath.sort())
    expect(Object.keys(operation.responses).some((status) => /^2\d\d$/.test(status))).toBe(true)
  })

  test.each(named.filter(([name]) => name !== 'get /healthz'))('%s says how it fails', (_, { operation }) => {
    expect(operation.security ?? document.security).toEqual([{ bearer: [] }])
    for (const status of ['4XX', '5XX']) {
      expect(operation.responses[status]?.content).toEqual({
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      })
    }
  })

  test('only the liveness check needs no token', () => {
    const free = named.filter(([, { operation }]) => operation.security !== undefined)
    expect(free.map(([name, { operation }]) => [name, operation.security])).toEqual([['get /healthz', []]])
  })

  test('refers to nothing that is not there', () => {
    const targets = new Set([...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? ''))
    expect(targets.size).toBeGreaterThan(10)
    const missing = [...targets].filter((target) => {
      const found = target
        .replace(/^#\//, '')
        .split('/')
        .reduce((at: Record<string, unknown> | undefined, key) => at?.[key] as never, document)
      return found === undefined
    })
    expect(missing).toEqual([])
  })

  test('names every error code', () => {
    expect(document.components.schemas.ErrorCode.enum).toContain('data-loss-refused')
  })
})

test('every change that answers with an operation takes an Idempotency-Key', () => {
  const without = operations.filter(
    ({ operation }) =>
      '202' in operation.responses && !operation.parameters?.some(({ name }) => name === 'idempotency-key'),
  )
  // A cancellation has no second effect.
  expect(without.map(({ operation }) => operation.operationId)).toEqual(['cancelOperation'])
})
