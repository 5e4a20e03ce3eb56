import { createLog } from '../../../src/lib/log.ts'
import { compose } from '../../../src/main/compose.ts'
import { runWorker } from '../../../src/main/run-worker.ts'
import { connectTemporal } from '../../../src/main/temporal/connect.ts'
import { createFakeReach } from '../../../src/shell/fake.ts'
import { testRecipes } from '../../support/app.ts'
import { recordedBalancer } from '../../support/recorded-balancer.ts'
import { watchful } from '../../support/watchful.ts'
import type { WorkerSettings } from './worker-under-fire.ts'

/** A worker as main composes it, on the shipped fakes; it stops at each boundary until the test lets it go on. */

const settings = JSON.parse(process.env.KITBAG_TEST_WORKER ?? '{}') as WorkerSettings
const log = createLog({ level: 'error' })
const masterKey = Buffer.from(settings.masterKey, 'base64')

const waiting = new Map<number, () => void>()
let last = 0
process.on('message', (id: number) => {
  waiting.get(id)?.()
  waiting.delete(id)
})
process.on('disconnect', () => process.exit(1))

function boundary(name: string): Promise<void> {
  const id = ++last
  return new Promise((resolve) => {
    waiting.set(id, resolve)
    process.send?.({ id, name })
  })
}

const parts = await compose({
  database: { socket: settings.socket },
  masterKey,
  home: settings.home,
  cache: settings.home,
  log,
  overrides: {
    // The ninth web machine is one that cannot be set up.
    reach: createFakeReach({
      folder: settings.machines,
      faults: [{ kind: 'fail', machine: 'web-9', output: 'E: broken' }],
    }),
    recipes: testRecipes(),
    toolkit: { loadBalancer: recordedBalancer().service, watchful: watchful().service },
  },
})
const temporal = await connectTemporal(settings, masterKey, log)
const { failed } = await runWorker({
  parts,
  temporal,
  namespace: settings.namespace,
  masterKey,
  workflowBundle: { codePath: settings.workflowBundle },
  timings: { boot: 5_000, poll: 20, retry: 50, retryMost: 500, watch: 200 },
  boundary,
})
await failed
