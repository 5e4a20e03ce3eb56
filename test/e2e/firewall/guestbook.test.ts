import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noMachines } from '../providers/local-box.ts'
import { type TestDeployment, testDeployment } from '../toolkit/deployment.ts'

const execute = promisify(execFile)
const scanner = fileURLToPath(new URL('scan.mjs', import.meta.url))

const blueprint = ({ web = 1, more = '' } = {}) => `
apiVersion: kitbag/v1
name: shop
components:
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8080
    replicas: ${web}
    env: { DATABASE_URL: "\${db.url}" }${more}
  db:
    recipe: postgresql
    settings: { database: shop }
toolkit:
  loadBalancer:
    listeners: [{ port: 80, to: web }]
    machine: { cpu: 1, memory: 256MiB }
`

describe.skipIf(noMachines)(`a machine lets in what is declared${noMachines ? ` (${noMachines})` : ''}`, () => {
  let shop: TestDeployment

  beforeAll(async () => {
    shop = await testDeployment()
    await shop.deploy(blueprint(), 'one')
  }, 300_000)

  afterAll(async () => {
    expect(await shop?.close()).toEqual([])
  })

  const addressOf = async (name: string) => {
    const all = (await Promise.all(['web', 'db', 'loadBalancer'].map(shop.machines))).flat()
    return all.find((machine) => machine.name === name)?.address ?? ''
  }

  /** Ports of a machine that accept from the box, or from another machine. */
  const openPorts = async (machine: string, from?: string): Promise<number[]> => {
    const address = await addressOf(machine)
    const said = from
      ? await (await shop.guest(from)).inNetwork(process.execPath, scanner, address)
      : (await execute(process.execPath, [scanner, address])).stdout
    return said === '' ? [] : said.split(',').map(Number)
  }

  test('a stranger finds SSH and what is for anyone', async () => {
    console.log(await (await shop.guest('db-1')).run('nft list ruleset'))
    console.log(await (await shop.guest('load-balancer-1')).run('nft list ruleset'))
    expect(await openPorts('load-balancer-1')).toEqual([22, 80])
    expect(await openPorts('web-1')).toEqual([22])
    expect(await openPorts('db-1')).toEqual([22])
  })

  test('a component finds what it refers to', async () => {
    expect(await openPorts('db-1', 'web-1')).toEqual([22, 5432])
    expect(await openPorts('web-1', 'load-balancer-1')).toEqual([22, 8080])
    expect(await openPorts('db-1', 'load-balancer-1')).toEqual([22])
    expect(await openPorts('web-1', 'db-1')).toEqual([22])
  })
})
