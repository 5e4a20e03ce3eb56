import { createLog } from '../../../src/lib/log.ts'
import { compose } from '../../../src/main/compose.ts'
import { runWorker } from '../../../src/main/run-worker.ts'
import { connectTemporal } from '../../../src/main/temporal/connect.ts'
import { type ErrorCode, KitbagError } from '../../../src/model/errors.ts'
import type { Provider, ProviderDriver } from '../../../src/providers/contract.ts'
import { testRecipes } from '../../support/app.ts'
import { memoryCloud } from '../../support/memory-cloud.ts'
import { recordedBalancer } from '../../support/recorded-balancer.ts'
import { scriptedReach } from '../../support/scripted-reach.ts'
import type { Answer, Ask, WorkerSettings } from './messages.ts'

/** A worker as main composes it; its cloud lives in the test's process, and it stops at each boundary until that lets it go on. */

type Question = Ask extends infer One ? (One extends Ask ? Omit<One, 'id'> : never) : never

const waiting = new Map<number, (answer: Answer) => void>()
let last = 0

function ask(question: Question): Promise<unknown> {
  const id = ++last
  return new Promise((resolve, reject) => {
    waiting.set(id, ({ value, error }) => {
      if (!error) return resolve(value)
      reject(new KitbagError(error.code as ErrorCode, error.message, { retryable: error.retryable }))
    })
    process.send?.({ id, ...question })
  })
}

process.on('message', (answer: Answer) => {
  waiting.get(answer.id)?.(answer)
  waiting.delete(answer.id)
})
process.on('disconnect', () => process.exit(1))

const settings = JSON.parse(process.env.KITBAG_TEST_WORKER ?? '{}') as WorkerSettings
const log = createLog({ level: 'error' })
const masterKey = Buffer.from(settings.masterKey, 'base64')

const methods: (keyof Provider)[] = ['createMachine', 'getMachine', 'listMachines', 'destroyMachine']
const remote = { ...memoryCloud().provider } as Record<keyof Provider, unknown>
for (const method of methods) remote[method] = (...args: unknown[]) => ask({ ask: 'call', method, args })
const driver = { ...(await memoryCloud().drivers.memory?.()), connect: async () => remote } as unknown as ProviderDriver

const reach = scriptedReach()
// The ninth web machine is one that cannot be set up.
reach.hook = ({ name }) => (name === 'web-9' ? 'package:nodejs' : undefined)

const parts = await compose({
  database: { socket: settings.socket },
  masterKey,
  home: settings.home,
  cache: settings.home,
  log,
  overrides: {
    reach,
    drivers: { memory: async () => driver },
    recipes: testRecipes(),
    toolkit: { loadBalancer: recordedBalancer().service },
  },
})
const temporal = await connectTemporal(settings, masterKey, log)
const { failed } = await runWorker({
  parts,
  temporal,
  namespace: settings.namespace,
  masterKey,
  workflowBundle: { codePath: settings.workflowBundle },
  timings: { boot: 5_000, poll: 20, retry: 50, retryMost: 500 },
  boundary: async (name) => void (await ask({ ask: 'boundary', name })),
})
await failed
