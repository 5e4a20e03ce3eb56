import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import {
  checkPathField,
  headerValueField,
  pathField,
  realmField,
  userNameField,
} from '../../../src/toolkit/load-balancer/text-fields.ts'
import { randomTexts, seeded } from '../../pure/toolkit/load-balancer/hostile-texts.ts'
import { until } from '../../support/until.ts'
import { images, noMachines } from '../providers/local-box.ts'
import { type BalancerBox, balancerBox, type Wanted } from './balancer-box.ts'
import { ask } from './web-client.ts'

const random = seeded(7)

/** Texts that a field takes, each once; those given first. */
function taken(field: z.ZodType, given: string[], prefix = ''): string[] {
  const texts = [...given, ...randomTexts(400, random).map((text) => prefix + text)]
  return [...new Set(texts)].filter((text) => field.safeParse(text).success).slice(0, 25)
}

// Paths that differ in a slash at their end only are the same route, and this client asks for no `..`.
const paths = [
  ...new Map(
    taken(pathField, ['/a;b,c', '/@!*', '/-f', '/if', '/%'], '/').map((path) => [path.replace(/\/+$/, ''), path]),
  ).values(),
].filter((path) => !/^\/+$/.test(path) && new URL(path, 'http://x').pathname === path)
const headers = taken(headerValueField, ['-f', '-i', '--', '-m beg', 'if unless or', '!a', '%ci', 'a,b;c'])
const realms = taken(realmField, ['-f', 'if TRUE', 'unless'])
const names = taken(userNameField, ['-', 'password', 'insecure-password', 'groups'])
const checks = taken(checkPathField, ['/%ci', '/?a=%20b&c=%', '/a;b', '/-f'], '/').slice(0, 10)

const password = { $ref: 'secrets.OPS' }
const first = 8100

describe.skipIf(noMachines).each(images)(
  `texts of a blueprint mean themselves, %s${noMachines ? ` (${noMachines})` : ''}`,
  (image) => {
    let box: BalancerBox
    /** What health checks asked for. */
    const checked = new Set<string>()
    const web = createServer(({ url = '' }, response) => {
      checked.add(url)
      response.end()
    })

    const at = (port: number, path: string) => `http://${box.node.address}:${port}${path}`

    beforeAll(async () => {
      web.listen(0, '0.0.0.0')
      await once(web, 'listening')
      box = await balancerBox(image)
      const to = { addresses: [box.host], port: (web.address() as AddressInfo).port }
      const redirect = (path: string) => ({ redirect: { host: 'there.example', path } })
      const section = {
        listeners: [
          { port: 8001, routes: paths.map((path) => ({ path, exact: true, ...redirect(path) })) },
          { port: 8002, routes: paths.map((path, i) => ({ path, ...redirect(`/${i}`) })) },
          { port: 8003, routes: headers.map((value, i) => ({ header: { 'X-Text': value }, ...redirect(`/${i}`) })) },
          ...realms.map((realm, i) => ({
            port: first + i,
            redirect: { path: '/' },
            basicAuth: { realm, users: names.map((name) => ({ name, password })) },
          })),
          ...checks.map((http, i) => ({ port: first + 100 + i, name: `check-${i}`, to, health: { http } })),
        ],
      }
      const wanted: Wanted = { section, secrets: { OPS: 'x y"z' } }
      await box.configure(wanted, { first: true })
    })

    afterAll(async () => {
      web.close()
      await box?.close()
    })

    test('paths, of routes and of redirects', async () => {
      for (const path of paths) {
        expect((await ask(at(8001, path))).headers.location).toBe(`http://there.example${path}`)
        const { location } = (await ask(at(8002, path))).headers
        expect(location).toBe(`http://there.example/${paths.indexOf(path)}`)
      }
      expect((await ask(at(8001, '/nothing-of-these'))).status).toBe(404)
    })

    test('values of headers', async () => {
      for (const [i, value] of headers.entries()) {
        const { status, headers: answered } = await ask(at(8003, '/'), { headers: { 'x-text': value } })
        expect([value, status, answered.location]).toEqual([value, 301, `http://there.example/${i}`])
      }
      for (const value of ['a', 'f', 'i', `${headers[0]}x`])
        expect((await ask(at(8003, '/'), { headers: { 'x-text': value } })).status).toBe(404)
    })

    test('realms and names of users', async () => {
      for (const [i, realm] of realms.entries())
        expect((await ask(at(first + i, '/'))).headers['www-authenticate']).toBe(`Basic realm="${realm}"`)
      for (const name of names) {
        const authorization = (secret: string) => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`
        const status = async (secret: string) =>
          (await ask(at(first, '/'), { headers: { authorization: authorization(secret) } })).status
        expect([name, await status('x y"z'), await status('x')]).toEqual([name, 301, 401])
      }
    })

    test('paths of health checks', async () => {
      await until(() => checks.every((path) => checked.has(path)))
      expect([...checked].filter((path) => !checks.includes(path))).toEqual([])
    })
  },
)
