import { expect, test } from 'vitest'
import { z } from 'zod'
import { loadBalancerSchema } from '../../../../src/toolkit/load-balancer/schema.ts'
import { randomTexts, seeded } from './hostile-texts.ts'
import { filesOf } from './rendered.ts'
import { selfSigned } from './self-signed.ts'

const password = { $ref: 'secrets.ADMIN' }
const to = { addresses: ['192.0.2.1'], port: 80 }

/** A section in which every field of the schema that holds a text has one. */
const whole = {
  listeners: [
    {
      port: 443,
      protocol: 'https',
      name: 'front',
      certificates: ['web'],
      hsts: { maxAge: '1d' },
      to: 'web',
      routes: [
        { host: 'a.example', path: '/a', header: { 'X-A': 'b' }, name: 'route', to },
        { path: '/b', redirect: { host: 'b.example', path: '/c' } },
      ],
      proxyProtocol: { acceptFrom: ['10.0.0.0/8'] },
      rateLimit: { requests: 1, per: '10s' },
      allow: ['10.0.0.0/8'],
      deny: ['10.0.0.1'],
      basicAuth: { realm: 'Ops', users: [{ name: 'ops', password }] },
      limits: { body: '1MiB', headers: '1KiB' },
      health: { http: '/healthz', interval: '1s', timeout: '1s' },
      timeouts: { connect: '1s', client: '1s', server: '1s', queue: '1s', tunnel: '1s' },
    },
    { port: 80, redirect: { host: 'a.example', path: '/d' } },
    { port: 81, name: 'other', to },
  ],
  maintenance: { page: '<p>', retryAfter: '1m', backends: ['front'] },
}

/** Where a text of the schema is in the section. */
const places: Record<string, string> = {
  'listeners.0.redirect.host': 'listeners.1.redirect.host',
  'listeners.0.redirect.path': 'listeners.1.redirect.path',
  'listeners.0.to.addresses.0': 'listeners.2.to.addresses.0',
  'listeners.0.routes.0.redirect.host': 'listeners.0.routes.1.redirect.host',
  'listeners.0.routes.0.redirect.path': 'listeners.0.routes.1.redirect.path',
  'listeners.0.routes.0.header.*': 'listeners.0.routes.0.header.X-A',
}

/** Of these a text is admitted by its meaning alone, which is not that of a configuration: a secret, a page, where machines are made. */
const others = /\.password$|^maintenance\.page$|^machine\.|^placement\./

interface Node {
  $ref?: string
  type?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Node[]
  allOf?: Node[]
  properties?: Record<string, Node>
  items?: Node
  additionalProperties?: Node | boolean
  propertyNames?: Node
  $defs?: Record<string, Node>
}

/** Paths of the fields that hold a text, names of a record's entries among them (`KEY`). */
function textFields(): string[] {
  const root = z.toJSONSchema(loadBalancerSchema, { io: 'input', unrepresentable: 'any' }) as Node
  const found: string[] = []
  const walk = (given: Node, path: string[]): void => {
    const node = given.$ref ? (root.$defs?.[given.$ref.split('/').pop() ?? ''] ?? {}) : given
    for (const one of [...(node.anyOf ?? []), ...(node.allOf ?? [])]) walk(one, path)
    const isOpen = node.type === undefined && !node.anyOf && !node.allOf
    if ((node.type === 'string' || isOpen) && !node.enum && node.const === undefined) found.push(path.join('.'))
    for (const [key, value] of Object.entries(node.properties ?? {})) walk(value, [...path, key])
    if (node.items) walk(node.items, [...path, '0'])
    if (typeof node.additionalProperties !== 'object' || Object.keys(node.additionalProperties).length === 0) return
    walk(node.additionalProperties, [...path, '*'])
    walk(node.propertyNames ?? {}, [...path, 'KEY'])
  }
  walk(root, [])
  return [...new Set(found)].filter((path) => !others.test(path))
}

/** The section with a text in a place. */
function sectionWith(field: string, text: string): unknown {
  const section = JSON.parse(JSON.stringify(whole))
  const path = (places[field] ?? field).split('.')
  const last = path.pop() ?? ''
  const holder = path.reduce<Record<string, unknown>>((node, key) => node[key] as Record<string, unknown>, section)
  if (last === 'KEY') {
    for (const key of Object.keys(holder)) delete holder[key]
    Object.defineProperty(holder, text, { value: 'b', enumerable: true })
  } else {
    expect(Object.hasOwn(holder, last), `${field} is in the section of this test`).toBe(true)
    holder[last] = text
  }
  return section
}

/** Words that begin lines of the configuration. */
function directives(files: Map<string, string>): Set<string> {
  const text = files.get('/etc/haproxy/haproxy.cfg') ?? ''
  return new Set(text.split('\n').map((line) => /^ *(\S*)/.exec(line)?.[1] ?? ''))
}

/** Lines of maps and lists, which have a key and at most one value. */
function entries(files: Map<string, string>): string[] {
  const lists = [...files].filter(([path]) => /\/tables\/|\.map$/.test(path))
  return lists.flatMap(([, text]) => text.split('\n').filter((line) => line !== ''))
}

const pem = selfSigned('a.example')
const given = { pem, password: 'x' }

test.for(textFields())(
  '%s: random texts are refused with their place, or change nothing beside themselves',
  async (field) => {
    const random = seeded(20_261_121 + field.length)
    const usual = directives(await filesOf(whole, given))
    const prefixes = /path|health\.http/.test(field) ? ['/', ''] : ['']
    let taken = 0
    for (const text of prefixes.flatMap((prefix) => randomTexts(100, random).map((one) => prefix + one))) {
      const section = sectionWith(field, text)
      const { error } = loadBalancerSchema.safeParse(section)
      if (error) {
        const place = (places[field] ?? field).replace(/\.KEY$/, '')
        // What may be one of two things is refused as a whole.
        const isPlace = (found: string) => found.startsWith(place) || place.startsWith(`${found}.`)
        expect(error.issues.map(({ path }) => path.join('.')).filter((found) => !isPlace(found))).toEqual([])
        continue
      }
      taken++
      // No control character, nothing that HAProxy or a map's line would take for something else.
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|["'`\\#${}[\]<>|()^]/u)
      const files = await filesOf(section, given)
      for (const word of directives(files)) expect(usual, text).toContain(word)
      for (const line of entries(files)) expect(line).toMatch(/^\S+( \S+)?$/)
    }
    if (/path$|\.header\.|realm|users|health\.http/.test(field)) expect(taken).toBeGreaterThan(0)
  },
)
