import { rm } from 'node:fs/promises'
import { expect } from 'vitest'
import { accessTo } from '../../../../src/api/views/access.ts'
import { createLog } from '../../../../src/lib/log.ts'
import { cacheFolder } from '../../../../src/main/paths.ts'
import { setUp } from '../../../../src/main/setup.ts'
import type { MachineAccess } from '../../../../src/model/machine.ts'
import { apiUser, type Operated } from '../../../support/api-user.ts'
import { startControlPlane, type TestControlPlane, temporaryHome } from '../../../support/control-plane.ts'

/** Counts greetings, and fails where it is asked to. */
const application = `
const http = require('node:http')
let greetings = 0
http.createServer(({ url }, response) => {
  if (url === '/metrics') return response.end('# TYPE greetings_total counter\\ngreetings_total ' + greetings + '\\n')
  if (url === '/error') response.statusCode = 500
  if (url !== '/healthz') greetings++
  response.end('hello')
}).listen(Number(process.env.PORT), '::')
`

/** A control plane with one deployment, `watched`, on local machines. */
export interface MonitoringBox {
  plane: TestControlPlane
  /** Deploys; throws with the operation's words unless `mayFail`. */
  deploy(toolkit: object, options?: { components?: object; mayFail?: boolean }): Promise<Operated>
  submit(body: object): Promise<Operated>
  /** Asks the monitoring API; throws what it refuses. */
  ask<T>(path: string, method?: string, body?: object): Promise<T>
  machine(name: string): Promise<MachineAccess>
  run(machine: string, command: string): Promise<{ status: number | null; stdout: string }>
  /** Ends the control plane and starts it again on the same state; `meanwhile` runs while there is none. */
  without(meanwhile: () => Promise<void>): Promise<void>
  /** Destroys it, with the data of these components. */
  close(allowDataLoss?: string[]): Promise<void>
}

export async function startMonitoringBox(images: string[]): Promise<MonitoringBox> {
  const home = await temporaryHome()
  await setUp({ home, cache: cacheFolder(), images, onProgress: () => {} } as Parameters<typeof setUp>[0])
  let plane = await startControlPlane({ home, log: createLog({ level: 'error' }) })

  const { call, ended, swept, upload } = apiUser(() => plane)
  const submit = async (body: object) => ended(await call<Operated>('POST', '/v1/deployments/watched/operations', body))
  const source = await upload({ 'server.js': application })
  await call('POST', '/v1/clouds', { name: 'home', provider: 'local' })

  const box: MonitoringBox = {
    get plane() {
      return plane
    },
    submit,
    async deploy(toolkit, { components = {}, mayFail = false } = {}) {
      const text = JSON.stringify({ apiVersion: 'kitbag/v1', name: 'watched', components, toolkit })
      const ended = await submit({ kind: 'deploy', blueprint: { text }, sources: { './app': source }, cloud: 'home' })
      if (ended.status !== 'succeeded' && !mayFail)
        throw new Error(`${ended.status}: ${ended.error?.message}\n${ended.error?.output ?? ''}`)
      return ended
    },
    ask: (path, method = 'GET', body) => call(method, `/v1/deployments/watched/monitoring/monitoring${path}`, body),
    async machine(name) {
      const { store, tenantId } = plane.parts
      const found = await store.deployments.getByName(tenantId, 'watched')
      const all = found ? accessTo(await store.machines.list(found.id)) : []
      const one = all.find((candidate) => candidate.name === name)
      if (!one) throw new Error(`no machine ${name} among ${all.map((candidate) => candidate.name).join(', ')}`)
      return one
    },
    async run(machine, command) {
      const access = await box.machine(machine)
      return plane.parts.reach.exec(access, command, { root: true, timeout: 120_000 })
    },
    async without(meanwhile) {
      await plane.stop()
      try {
        await meanwhile()
      } finally {
        plane = await startControlPlane({ home, log: createLog({ level: 'error' }) })
      }
    },
    async close(allowDataLoss = ['db']) {
      try {
        await submit({ kind: 'destroy', allowDataLoss })
        expect(await swept()).toEqual([])
      } finally {
        await plane.stop()
        await rm(home, { recursive: true, force: true })
      }
    },
  }
  return box
}
