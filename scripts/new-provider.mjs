#!/usr/bin/env node
// Lays the folder of a new provider: `npm run new:provider NAME`. What it writes compiles, is found by `kitbag cloud add`, and fails the
// conformance suite call by call until the driver is written. docs/adding-a-provider.md goes on from there.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const [name = ''] = process.argv.slice(2)
const root = process.cwd()

/** Ends with one sentence that says what is missing and what to do. */
function fail(sentence) {
  console.error(`kitbag: ${sentence}`)
  process.exit(1)
}

const index = join(root, 'src/providers/index.ts')
const files = {
  [`src/providers/${name}/settings.ts`]: settings,
  [`src/providers/${name}/driver.ts`]: driver,
  [`test/flow/providers/${name}.test.ts`]: test,
  [`docs/providers/${name}.md`]: page,
}

if (!/^[a-z][a-z0-9]*$/.test(name)) {
  fail(
    `"${name}" is no name for a provider: write lower-case letters and digits, as in \`npm run new:provider hetzner\`.`,
  )
}
if (!existsSync(index)) fail(`there is no ${index}: run this in the folder of Kitbag's source.`)
for (const file of Object.keys(files)) {
  if (existsSync(join(root, file))) fail(`${file} exists already: choose another name, or remove it first.`)
}

for (const [file, text] of Object.entries(files)) {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text())
  console.log(`made     ${file}`)
}
register()
console.log(`changed  src/providers/index.ts`)
console.log(`\nNext: npx vitest run --project flow test/flow/providers/${name}.test.ts, and docs/adding-a-provider.md.`)

/** Puts the provider's line among the others, in the order of the alphabet. */
function register() {
  const lines = readFileSync(index, 'utf8').split('\n')
  const known = /^ {2}([a-z0-9]+): async \(\) =>/
  const after = lines.findIndex((line) => (known.exec(line)?.[1] ?? '') > name)
  const end = lines.findIndex((line) => line.startsWith('} satisfies'))
  const line = `  ${name}: async () => (await import('./${name}/driver.ts')).driver,`
  lines.splice(after === -1 ? end : after, 0, line)
  writeFileSync(index, lines.join('\n'))
}

function settings() {
  return `import { z } from 'zod'

/** What a cloud of this kind is told by \`kitbag cloud add NAME --provider ${name} --set key=value\`. */
export const settingsSchema = z.strictObject({
  region: z.string().min(1).describe('Where machines go that say no region'),
})

/** What it needs to be let in; kept encrypted. */
export const credentialsSchema = z.strictObject({
  token: z.string().min(1).describe('API token'),
})

export type Settings = z.infer<typeof settingsSchema>
export type Credentials = z.infer<typeof credentialsSchema>
`
}

function driver() {
  return `import { KitbagError } from '../../model/errors.ts'
import type { Provider, ProviderDriver } from '../contract.ts'
import { type Credentials, credentialsSchema, type Settings, settingsSchema } from './settings.ts'

/** Machines of ${name}. */
export const driver: ProviderDriver<Settings, Credentials> = {
  kind: '${name}',
  summary: 'Machines of ${name}',
  capabilities: {
    images: ['debian-13'],
    userData: true,
    fractionalCpu: false,
    zones: false,
    floatingAddress: false,
    imports: { refused: 'machines of ${name} cannot be taken in: marks is not built yet' },
  },
  settings: settingsSchema,
  credentials: credentialsSchema,
  connect: async () => provider,
}

const provider: Provider = {
  catalog: async () => missing('catalog'),
  resolve: async () => missing('resolve'),
  createMachine: async () => missing('createMachine'),
  getMachine: async () => missing('getMachine'),
  listMachines: async () => missing('listMachines'),
  destroyMachine: async () => missing('destroyMachine'),
  letGo: async () => missing('letGo'),
  test: async () => missing('test'),
  residue: async () => missing('residue'),
  // None here: leave it out, and excuse the suite in the test (\`{ staticAddresses: 'the reason' }\`).
  staticAddresses: {
    assign: async () => missing('staticAddresses.assign'),
    list: async () => missing('staticAddresses.list'),
    release: async () => missing('staticAddresses.release'),
  },
}

function missing(call: string): never {
  throw new KitbagError('not-supported', \`${name}: \${call} is not built yet\`, {
    fix: \`Write it in src/providers/${name}; docs/adding-a-provider.md says what it must do.\`,
  })
}
`
}

function test() {
  return `import { driver } from '../../../src/providers/${name}/driver.ts'
import { testProvider } from '../../conformance/providers/test-provider.ts'

const cloud = { name: '${name}', settings: { region: 'test' }, credentials: { token: 'test' } }

/** One connection for an installation, to the same test cloud. */
const connect = (installation: string) =>
  driver.connect(cloud, { installation, home: '/nonexistent', cache: '/nonexistent', log: () => {} })

testProvider('${name}', async () => ({
  provider: await connect('ins_one'),
  capabilities: driver.capabilities,
  installation: 'ins_one',
  other: { provider: await connect('ins_two'), installation: 'ins_two' },
  image: 'debian-13',
}))
`
}

function page() {
  return `# Machines of ${name}

## What it needs

## What it creates, and what that costs

## Permissions

## Network
`
}
