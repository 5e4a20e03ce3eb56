import type { HealthCheck, ResolvedComponent, ResolvedService } from '../../src/model/blueprint.ts'
import type { ReleaseSpec } from '../../src/model/release.ts'
import { loadRecipe } from '../../src/recipes/load.ts'
import type { Recipe } from '../../src/recipes/recipe.ts'

const texts: Record<string, string> = {
  web: `
name: web
description: An application.
kind: application
parameters: { greeting: { type: string, default: hello } }
resources:
  - package: [nodejs]
  - directory: /opt/web/\${source.short}
  - command: echo migrate
    name: migrate
    phase: migrate
    always: true
  - file: /etc/web/env
    phase: configure
    content: "{{json env}} {{json release.number}}"
`,
  store: `
name: store
description: A database.
stateful: true
parameters: { password: { type: string, x-kitbag-secret: true }, size: { type: string, default: small } }
outputs: { password: "\${parameters.password}" }
resources:
  - package: [postgresql]
  - file: /etc/store/clients
    phase: configure
    content: "{{json consumers}} {{json parameters.password}}"
`,
  balancer: `
name: balancer
description: Carries traffic.
parameters:
  backends: { type: array, default: [] }
  changed: { type: object, default: {} }
resources:
  - package: [haproxy]
  - file: /etc/balancer/backends
    phase: configure
    content: "{{json parameters.backends}} {{json parameters.changed}}"
`,
  firewall: `
name: firewall
description: What the machine lets in.
parameters:
  ssh: { type: array, default: [] }
  sets: { type: array, default: [] }
  rules: { type: array, default: [] }
resources:
  - package: [nftables]
  - file: /etc/firewall
    phase: configure
    content: "{{json parameters}}"
`,
}

/** Recipes that a fake transport can carry out: an application, a stateful service, the balancer's machine, and their firewall. */
export function testRecipes(): Map<string, Recipe> {
  return new Map(
    Object.entries(texts).map(([name, text]) => [
      name,
      loadRecipe(name, { 'recipe.yaml': Buffer.from(text.trimStart()) }),
    ]),
  )
}

export interface App {
  /** Machines of `web`. Default 2. */
  web?: number
  /** Stands for the application's content: another version is another source. Default `1`. */
  version?: string
  /** Default true. */
  db?: boolean
  /** Default true. */
  balancer?: boolean
  /** Machines of the balancer. Default 1. */
  balancers?: number
  migrate?: string
  /** Size word of the database; another one changes its configuration only. */
  size?: string
  /** The database shares a machine of `web`. Default false. */
  dbWithWeb?: boolean
  /** Bytes; another value replaces the database's machine. */
  dbMemory?: number
  maxUnavailable?: number
  /** Beside the balancer. */
  services?: ResolvedService[]
  /** Of `web`; default none. */
  health?: HealthCheck
  /** Machines let in only what is declared. Default false. */
  firewall?: boolean
}

/** A web application with a database behind a balancer, as a release. Secrets are those of `db.password` in version 1. */
export function appRelease(app: App = {}): ReleaseSpec {
  const { web = 2, version = '1', db = true, balancer = true, balancers = 1 } = app
  const components = [webComponent(app, web, db), ...(db ? [dbComponent(app)] : [])]
  const services: ResolvedService[] = balancer
    ? [{ name: 'loadBalancer', kind: 'loadBalancer', spec: { to: 'web', replicas: balancers } }]
    : []
  services.push(...(app.services ?? []))
  const used: Record<string, boolean> = { store: db, balancer, firewall: app.firewall === true }
  const recipes = [...testRecipes()].filter(([name]) => used[name] ?? true)
  return {
    blueprint: {
      apiVersion: 'kitbag/v1',
      name: 'shop',
      parameters: {},
      secrets: [],
      components,
      services,
      placement: {},
      ...(app.firewall && { firewall: true }),
    },
    text: JSON.stringify(app),
    sources: { './web': version.repeat(64).slice(0, 64) },
    recipes: Object.fromEntries(
      recipes.map(([name, { signature }]) => [name, { ...signature, archive: '0'.repeat(64) }]),
    ),
    secretVersions: db ? { 'db.password': 1 } : {},
  }
}

const machine = { cpu: 1, memory: 2 ** 29, image: 'debian-13' }

function webComponent({ migrate, health, maxUnavailable = 1 }: App, replicas: number, db: boolean): ResolvedComponent {
  return {
    name: 'web',
    recipe: 'web',
    source: './web',
    start: 'node server.js',
    ...(migrate !== undefined && { migrate }),
    port: 8080,
    ...(health && { health }),
    replicas,
    machine,
    placement: {},
    env: db ? { DATABASE: { $concat: ['postgres://web:', { $ref: 'db.password' }, '@', { $ref: 'db.host' }] } } : {},
    settings: {},
    update: { maxUnavailable, drain: 0 },
  }
}

function dbComponent({ size = 'small', dbMemory = 2 ** 29, dbWithWeb = false }: App): ResolvedComponent {
  return {
    name: 'db',
    recipe: 'store',
    port: 5432,
    replicas: 1,
    machine: { ...machine, memory: dbMemory },
    placement: dbWithWeb ? { with: 'web' } : {},
    env: {},
    settings: { size },
    update: { maxUnavailable: 1, drain: 0 },
  }
}
