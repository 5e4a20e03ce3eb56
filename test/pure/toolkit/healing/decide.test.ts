import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Circumstances,
  type Condition,
  decide,
  type Finding,
  freshState,
  type HealingState,
} from '../../../../src/toolkit/healing/decide.ts'
import { healingSchema } from '../../../../src/toolkit/healing/schema.ts'

const spec = healingSchema.parse({ after: '30s' })
const start = Date.UTC(2026, 0, 1)

function finding(machine: string, condition: Condition = 'well', more: Partial<Finding> = {}): Finding {
  const component = machine.replace(/-\d+$/, '')
  return { id: `mac_${machine}`, machine, component, stateful: component === 'db', condition, detail: 'why', ...more }
}

/** Three web machines, a balancer and a database, some of them in a condition. */
function world(conditions: Record<string, Condition> = {}): Finding[] {
  return ['web-1', 'web-2', 'web-3', 'lb-1', 'db-1'].map((name) => finding(name, conditions[name]))
}

/** Looks every 5 s for a time; gives the seconds at which machines were replaced, and all that was told. */
function watch(
  seconds: number,
  at: (second: number) => Partial<Circumstances> & { findings: Finding[] },
  state: HealingState = freshState,
) {
  const replaced: string[] = []
  const told: string[] = []
  let now = state
  for (let second = 0; second <= seconds; second += 5) {
    const healing = decide(spec, now, { away: [], now: start + second * 1000, ...at(second) })
    now = healing.state
    for (const id of healing.replace) replaced.push(`${second} ${id.slice(4)}`)
    for (const { level, message } of healing.decisions) told.push(`${second} ${level} ${message}`)
  }
  return { replaced, told, state: now }
}

describe('who is replaced, and when', () => {
  test('one that does not answer, when its time is over', () => {
    const { replaced } = watch(30, () => ({ findings: world({ 'web-1': 'silent' }) }))
    expect(replaced).toEqual(['30 web-1'])
  })

  test('one that comes back before: nothing happens, and its time begins anew', () => {
    const findings = (second: number) => world({ 'web-1': second % 30 === 25 ? 'well' : 'silent' })
    const { replaced, told } = watch(300, (second) => ({ findings: findings(second) }))
    expect(replaced).toEqual([])
    expect(told).toContain('25 info web-1 is well again')
  })

  test('one that is deleted: at once; one that is powered off: as one that does not answer', () => {
    expect(watch(0, () => ({ findings: world({ 'web-1': 'deleted' }) })).replaced).toEqual(['0 web-1'])
    expect(watch(30, () => ({ findings: world({ 'web-1': 'stopped' }) })).replaced).toEqual(['30 web-1'])
  })

  test('one that answers and is not healthy has four times as long', () => {
    const { replaced } = watch(120, () => ({ findings: world({ 'web-1': 'unhealthy' }) }))
    expect(replaced).toEqual(['120 web-1'])
  })

  test('the only one of its component; two of different components together', () => {
    expect(watch(30, () => ({ findings: world({ 'lb-1': 'silent' }) })).replaced).toEqual(['30 lb-1'])
    expect(watch(30, () => ({ findings: world({ 'lb-1': 'silent', 'web-2': 'silent' }) })).replaced).toEqual([
      '30 lb-1',
      '30 web-2',
    ])
  })
})

describe('who is not', () => {
  test('a database, however dead: a person is told, once, and when it is over', () => {
    const findings = (second: number) => world({ 'db-1': second < 300 ? 'deleted' : 'well' })
    const { replaced, told } = watch(400, (second) => ({ findings: findings(second) }))
    expect(replaced).toEqual([])
    expect(told.filter((line) => line.includes('alert'))).toEqual([
      expect.stringMatching(/^0 alert db-1 is dead \(why\) and holds data: it is not replaced by an empty one/),
    ])
    expect(told.at(-1)).toMatch(/^300 info over: db-1 is dead/)
  })

  test('too many of one component at once', () => {
    const { replaced, told } = watch(60, () => ({ findings: world({ 'web-1': 'silent', 'web-2': 'silent' }) }))
    expect(replaced).toEqual([])
    expect(told).toContain('30 alert 2 of 3 machines of web are not well at once: none is replaced')
  })

  test('too many of the deployment at once, whatever they are', () => {
    const conditions = { 'web-1': 'silent', 'lb-1': 'silent', 'db-1': 'silent' } as const
    const { replaced, told } = watch(60, () => ({ findings: world(conditions) }))
    expect(replaced).toEqual([])
    expect(told.filter((line) => line.includes('alert 3 of 5 machines are not well at once'))).toHaveLength(1)
  })

  test('anybody while the cloud does not answer; as soon as it does, they are', () => {
    const { replaced, told } = watch(90, (second) => ({
      findings: world({ 'web-1': 'silent' }),
      away: second < 60 ? ['home: no answer'] : [],
    }))
    expect(told).toContain('30 alert nothing is replaced while its cloud does not answer: home: no answer')
    expect(replaced[0]).toBe('60 web-1')
  })

  test('the fourth of a component within an hour', () => {
    let state = freshState
    const replaced: number[] = []
    for (let minute = 0; minute <= 90; minute += 5) {
      const dead = finding(`web-${minute}`, 'deleted', { component: 'web', id: `mac_${minute}` })
      const ended = state.attempt && { ended: { status: 'succeeded' as const, message: '' } }
      const circumstances = { findings: [...world(), dead], away: [], now: start + minute * 60_000, ...ended }
      const healing = decide(spec, state, circumstances)
      state = { ...healing.state, suspects: {} }
      if (healing.replace.length > 0) replaced.push(minute)
      if (minute === 15)
        expect(healing.decisions.map(({ message }) => message).join()).toContain(
          '3 machines of web were replaced within 3600 s',
        )
    }
    expect(replaced).toEqual([0, 5, 10, 60, 65, 70])
  })
})

describe('a replacement that fails', () => {
  const lost = [...world(), finding('web-4', 'lost')]
  const attempted: HealingState = { ...freshState, attempt: { key: 'k', lost: ['mac_web-4'], at: start } }
  const failed = { ended: { status: 'failed' as const, message: 'no capacity' } }

  test('is tried again after 1, 2, 4 ... minutes, 30 at most, and a person is told each time', () => {
    let state = attempted
    const tries: number[] = []
    let told = 0
    for (let second = 0; second <= 3 * 3600; second += 5) {
      const ended = state.attempt ? failed : {}
      const healing = decide(spec, state, { findings: lost, away: [], now: start + second * 1000, ...ended })
      state = healing.state
      told += healing.decisions.filter(({ message }) => message.includes('no capacity; the next try is in')).length
      if (healing.replace.length > 0) tries.push(second)
    }
    const pauses = tries.map((at, i) => Math.round((at - (tries[i - 1] ?? 0)) / 60))
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30, 30])
    expect(told).toBeGreaterThanOrEqual(tries.length)
  })

  test('one that succeeds ends that, and is told', () => {
    const { state } = watch(0, () => ({ findings: lost, ...failed }), attempted)
    const next = watch(5, (second) => ({ findings: second === 0 ? lost : world() }), {
      ...state,
      notBefore: 0,
    })
    const done = decide(spec, next.state, {
      findings: world(),
      away: [],
      now: start + 10_000,
      ended: { status: 'succeeded', message: '' },
    })
    expect(done.state).toMatchObject({ failures: 0, notBefore: 0, alerts: {}, suspects: {} })
    expect(done.decisions.map(({ message }) => message)).toContain('replaced')
  })
})

describe('always', () => {
  const condition = fc.constantFrom<Condition>('well', 'unhealthy', 'silent', 'stopped', 'deleted', 'lost')
  const looks = fc.array(fc.array(condition, { minLength: 5, maxLength: 5 }), { maxLength: 60 })

  test('no database, nobody who is well, no more than the share, and no more often than allowed', () => {
    fc.assert(
      fc.property(looks, (rounds) => {
        const names = ['web-1', 'web-2', 'web-3', 'lb-1', 'db-1']
        let state = freshState
        const begun: { component: string; at: number }[] = []
        for (const [round, conditions] of rounds.entries()) {
          const now = start + round * 10_000
          const findings = names.map((name, i) => finding(name, conditions[i]))
          const status = round % 3 === 0 ? ('failed' as const) : ('succeeded' as const)
          const ended = state.attempt && round % 2 === 0 && { ended: { status, message: '' } }
          const healing = decide(spec, state, { findings, away: [], now, ...ended })
          if (state.attempt && !ended) expect(healing.replace).toEqual([])
          state = healing.state
          const replaced = findings.filter(({ id }) => healing.replace.includes(id))
          for (const { stateful, condition: found } of replaced) {
            expect(stateful).toBe(false)
            expect(found).not.toBe('well')
          }
          const dead = conditions.filter((found) => found !== 'well').length
          if (replaced.length > 0) expect(dead).toBeLessThanOrEqual(2)
          for (const { component, condition: found } of replaced)
            if (found !== 'lost') begun.push({ component, at: now })
          for (const component of ['web', 'lb'])
            expect(begun.filter((one) => one.component === component && one.at > now - 3_600_000).length).toBeLessThan(
              5,
            )
        }
      }),
    )
  })

  test('the same again for the same', () => {
    fc.assert(
      fc.property(looks, (rounds) => {
        let state = freshState
        for (const [round, conditions] of rounds.entries()) {
          const findings = conditions.map((found, i) => finding(`web-${i}`, found))
          const circumstances = { findings, away: [], now: start + round * 10_000 }
          const before = JSON.stringify(state)
          const healing = decide(spec, state, circumstances)
          expect(decide(spec, JSON.parse(before), circumstances)).toEqual(healing)
          expect(JSON.stringify(state)).toBe(before)
          state = healing.state
        }
      }),
    )
  })
})
