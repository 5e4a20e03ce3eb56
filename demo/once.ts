import { type Load, type LoadResult, startLoad } from '../bench/load.ts'
import type { ControlPlane } from './control-plane.ts'
import { deployGuestbook, show } from './deploy.ts'
import { deployment, destroy } from './destroy.ts'
import { changedGuestbook, machinesThatAnswer, sign } from './guestbook.ts'
import { kitbag } from './kitbag.ts'
import { check, type Summary, say, timed } from './report.ts'
import { showToolkit } from './toolkit.ts'

/** Load in both connection modes while `work` runs, and at least 2,500 requests in each. */
async function underLoad(url: string, summary: Summary, work: () => Promise<void>): Promise<LoadResult[]> {
  const loads: Load[] = [true, false].map((keepAlive) => startLoad(`${url}/ping`, { connections: 10, keepAlive }))
  let results: LoadResult[]
  try {
    await work()
  } finally {
    results = await Promise.all(loads.map((load) => load.stop(2500)))
    for (const result of results) {
      summary.requests.total += result.total
      summary.requests.failed += result.failed
      if (result.failed > 0) say(`   failed requests: ${JSON.stringify(result.failures)}`)
    }
  }
  return results
}

async function releaseAnswers(url: string, release: string): Promise<boolean> {
  for (let i = 0; i < 20; i++) {
    const response = await fetch(`${url}/ping`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(10_000),
    })
    await response.arrayBuffer()
    if (response.headers.get('x-release') !== release) return false
  }
  return true
}

/** The whole life of a deployment: deploy, use, check, update and roll back under load, scale, destroy. Then one with the whole toolkit. */
export async function runOnce(plane: ControlPlane, summary: Summary, signal: AbortSignal): Promise<void> {
  const run = (args: string[]) => kitbag(args, { env: plane.env, show: true, signal })
  const url = await deployGuestbook(plane, summary, signal)
  const answering = await machinesThatAnswer(url)
  check(summary, 'both web machines answer', answering.join(' ') === 'web-1 web-2', answering.join(' '))
  const entryIsThere = await sign(url)
  check(summary, 'an entry is written and read', await entryIsThere(), `${url}/entries`)

  await timed(summary, 'recheck', 'check: nothing differs from what was deployed', async () => {
    const checked = (await kitbag(['check', deployment], { env: plane.env, signal })) as {
      result?: { drift?: unknown[] }
    }
    const drift = checked.result?.drift ?? []
    check(
      summary,
      'no drift',
      drift.length === 0,
      drift.length === 0 ? 'every resource as deployed' : JSON.stringify(drift).slice(0, 500),
    )
  })

  const changed = changedGuestbook('guestbook-2')
  try {
    await underLoad(url, summary, () =>
      timed(summary, 'update', 'update: a changed application, under load', async () => {
        await run(['deploy', changed.blueprint, '--name', deployment])
      }),
    )
  } finally {
    changed.remove()
  }
  check(
    summary,
    'the new release answers',
    await releaseAnswers(url, 'guestbook-2'),
    'x-release guestbook-2 in 20 of 20 answers',
  )

  await underLoad(url, summary, () =>
    timed(summary, 'rollback', 'rollback: to release 1, under load', async () => {
      await run(['rollback', deployment, '1'])
    }),
  )
  check(
    summary,
    'the old release answers again',
    await releaseAnswers(url, 'guestbook-1'),
    'x-release guestbook-1 in 20 of 20 answers',
  )
  check(summary, 'the entry survived', await entryIsThere(), 'written before the update')
  const { total, failed } = summary.requests
  check(summary, 'no request was lost', failed === 0 && total >= 5000, `${failed} of ${total} failed`)

  await timed(summary, 'scale', 'scale: web to 3 machines', async () => {
    await run(['scale', deployment, 'web=3'])
  })
  const three = await machinesThatAnswer(url, 30)
  check(summary, 'three web machines answer', three.length === 3, three.join(' '))
  summary.machines = Math.max(summary.machines, (await show(plane)).machines.length)

  await timed(summary, 'destroy', 'destroy', () => destroy(plane, deployment))
  await timed(summary, 'toolkit', 'toolkit: examples/shop', () => showToolkit(plane, summary, signal))
}
