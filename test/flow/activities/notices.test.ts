import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/model/json.ts'
import { autoscaler } from '../../../src/toolkit/autoscaler/service.ts'
import type { Concern, Notice, ToolkitService } from '../../../src/toolkit/contract.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { until } from '../../support/until.ts'
import { type Watchful, watchful, watchfulSection } from '../../support/watchful.ts'

let flow: Flow
const watching: Watchful = watchful()
/** Every telling, as it was taken. */
let told: Notice[][] = []
let isAway = false

/** Takes notices, as monitoring does. */
const listener: ToolkitService = {
  ...watchful().service,
  kind: 'listener',
  notices: {
    async tell(_, notices) {
      if (isAway) throw new Error('nobody is at home')
      told.push(notices)
    },
  },
}
delete listener.watch

const concern = (message: string): Concern => ({ name: 'ill', level: 'warn', labels: { component: 'web' }, message })

beforeAll(async () => {
  const { watch } = watching.service
  if (watch) watch.concerns = ({ concerns = [] }) => concerns as unknown as Concern[]
  flow = await startFlow({
    services: { watchful: watching.service, listener, autoscaler: autoscaler as never },
    timings: { notice: 1_000 },
  })
})
afterAll(() => flow?.stop())
beforeEach(() => {
  told = []
  isAway = false
  watching.hook = undefined
})

const withListener = (...services: { name: string; kind: string; spec: JsonObject }[]) =>
  appRelease({ web: 1, db: false, services: [...services, { name: 'listener', kind: 'listener', spec: {} }] })

/** From now on its looks find this. */
function finds(deployment: string, concerns: Concern[]): void {
  watching.hook = (context) =>
    context.deployment.name === deployment ? { state: { n: 1, concerns: concerns as unknown as JsonObject[] } } : {}
}

const all = () => told.flat()

describe('what a watching service finds', () => {
  test('is told, told again while it lasts, and once when it is over', async () => {
    finds('lasts', [concern('web is ill')])
    await flow.deployed('lasts', withListener(watchfulSection))
    await until(() => told.length >= 3)
    const since = told[0]?.[0]?.since
    for (const notices of told)
      expect(notices).toEqual([{ ...concern('web is ill'), service: 'watchful', since, lasts: true }])
    finds('lasts', [])
    await until(() => all().some(({ lasts }) => !lasts))
    const count = told.length
    expect(told.at(-1)).toEqual([{ ...concern('web is ill'), service: 'watchful', since, lasts: false }])
    finds('lasts', [concern('again')])
    await until(() => told.length > count)
    expect(told[count]).toMatchObject([{ ...concern('again'), lasts: true }])
    expect(told[count]?.[0]?.since).toBeGreaterThan(since ?? 0)
    await flow.finished(await flow.submit('lasts', 'destroy'))
  })

  test('is told later to one who is away, while looks go on', async () => {
    isAway = true
    finds('away', [concern('web is ill')])
    let looks = 0
    const found = watching.hook
    watching.hook = (context) => {
      looks++
      return found?.(context)
    }
    await flow.deployed('away', withListener(watchfulSection))
    await until(() => looks > 5)
    expect(told).toEqual([])
    isAway = false
    await until(() => told.length > 0)
    await flow.finished(await flow.submit('away', 'destroy'))
  })

  test('is told by the next release too, where that has somebody to tell', async () => {
    finds('later', [concern('web is ill')])
    await flow.deployed('later', appRelease({ web: 1, db: false, services: [watchfulSection] }))
    await flow.deployed('later', withListener(watchfulSection))
    await until(() => told.length > 0)
    await flow.finished(await flow.submit('later', 'destroy'))
  })

  test('an autoscaler that has no figures says so', async () => {
    const spec = autoscaler.schema.parse({
      component: 'web',
      min: 1,
      max: 4,
      target: { promql: 'jobs_waiting', value: 5 },
      interval: '1s',
    }) as unknown as JsonObject
    await flow.deployed('blind', withListener({ name: 'autoscaler', kind: 'autoscaler', spec }))
    await until(() => all().some(({ name }) => name === 'autoscaler-no-figures'))
    expect(all().find(({ name }) => name === 'autoscaler-no-figures')).toMatchObject({
      level: 'alert',
      labels: { component: 'web' },
      service: 'autoscaler',
      lasts: true,
      message: expect.stringContaining('there is no monitoring'),
    })
    await flow.finished(await flow.submit('blind', 'destroy'))
  })
})
