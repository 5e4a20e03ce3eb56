import { expect, test } from 'vitest'
import { prepare } from '../../../../src/toolkit/load-balancer/prepare.ts'
import { loadBalancer } from '../../../../src/toolkit/load-balancer/service.ts'
import { parametersOf } from './rendered.ts'

const password = { $ref: 'secrets.ADMIN' }

/** Each would end a line, a word, quotes, braces or a format of haproxy.cfg. */
const texts = [
  'a\r\nbind :1',
  'a\nb',
  'a\0',
  'a}',
  '{a',
  'a"b',
  "a'b",
  'a\\b',
  'a%[src]',
  'a#b',
  'a$b',
  'a\tb',
  'a  b',
  'a`b',
]

const places: Record<string, (text: string) => object> = {
  'routes.0.host': (text) => ({ routes: [{ host: text, to: 'web' }] }),
  'routes.0.path': (text) => ({ routes: [{ path: `/${text}`, to: 'web' }] }),
  'routes.0.header.X': (text) => ({ routes: [{ header: { X: text }, to: 'web' }] }),
  'routes.0.header': (text) => ({ routes: [{ header: { [text]: 'x' }, to: 'web' }] }),
  'redirect.host': (text) => ({ to: undefined, redirect: { host: text } }),
  'redirect.path': (text) => ({ to: undefined, redirect: { path: `/${text}` } }),
  'basicAuth.realm': (text) => ({ basicAuth: { realm: text, users: [{ name: 'a', password }] } }),
  'basicAuth.users.0.name': (text) => ({ basicAuth: { users: [{ name: text, password }] } }),
  'health.http': (text) => ({ health: { http: `/${text}` } }),
  'allow.0': (text) => ({ allow: [text] }),
  'proxyProtocol.acceptFrom.0': (text) => ({ proxyProtocol: { acceptFrom: [text] } }),
  'certificates.0': (text) => ({ protocol: 'https', certificates: [text] }),
  name: (text) => ({ name: text }),
  'routes.0.name': (text) => ({ routes: [{ path: '/a', name: text, to: 'web' }] }),
}

test.for(Object.keys(places).flatMap((place) => texts.map((text) => [place, text] as const)))(
  '%s: %j is refused, with its place',
  ([place, text]) => {
    const { error } = loadBalancer.schema.safeParse({ listeners: [{ port: 80, to: 'web', ...places[place]?.(text) }] })
    const paths = (error?.issues ?? []).map(({ path }) => path.join('.'))
    expect(paths.some((path) => path.startsWith(`listeners.0.${place}`))).toBe(true)
  },
)

test('the path of a component’s own health check is looked at again before it is written', async () => {
  const spec = loadBalancer.schema.parse({ listeners: [{ port: 80, to: 'web' }] })
  const health = { http: '/a"\nbind :1', interval: 1, timeout: 1, grace: 1 }
  const machine = { cpu: 1, memory: 1, image: 'x' }
  const update = { maxUnavailable: 1, drain: 0 }
  const web = {
    name: 'web',
    recipe: 'x',
    port: 1,
    replicas: 1,
    placement: {},
    env: {},
    settings: {},
    health,
    machine,
    update,
  }
  const [component] = loadBalancer.plan({ name: 'lb', spec, components: [web] }).components
  const backends = ((component?.settings.backends ?? []) as object[]).map((one) => ({ ...one, servers: [] }))
  await expect(prepare({ parameters: { ...component?.settings, backends, overrides: {} } })).rejects.toThrow(
    'the health check of web',
  )
})

test('what a secret holds gets into the file as a hash only, whatever it is', async () => {
  const section = { listeners: [{ port: 80, to: 'web', basicAuth: { users: [{ name: 'ops', password }] } }] }
  const { frontends } = await parametersOf(section, { password: 'a"\n%[src]} secret' })
  expect(frontends).toMatch(
    /^userlist users-80\n {4}user ops password \$6\$rounds=1000\$[./0-9A-Za-z]+\$[./0-9A-Za-z]{86}$/m,
  )
  expect(frontends).not.toContain('secret')
})
