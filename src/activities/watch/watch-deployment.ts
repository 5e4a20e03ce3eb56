import { Context } from '@temporalio/activity'
import { sleep } from '../../lib/clock.ts'
import { type ActivityDeps, defaultTimings } from '../deps.ts'
import { repeatedFailure } from '../failures.ts'
import { releaseOf } from '../release-of.ts'
import { createGlances } from './glance.ts'
import { lookOn } from './look-on.ts'
import { servicesToWatch } from './services-to-watch.ts'
import { tellOn } from './tell-on.ts'

/** What a watch's workflow asks for. */
export interface WatchActivities {
  /** Watches until there is nothing to watch (`over`), or for so long that the workflow begins a new run (`again`). */
  watchDeployment(deploymentId: string): Promise<'over' | 'again'>
}

export function createWatchActivities(deps: ActivityDeps): WatchActivities {
  return { watchDeployment: (deploymentId) => watchDeployment(deps, deploymentId) }
}

/** Milliseconds between heartbeats: each is a write at the server, and there is one watch per deployment. */
const heartbeatInterval = 8_000

/** Milliseconds after which the workflow begins a new run. */
const longest = 24 * 3_600_000

/** Milliseconds over which the first looks are spread, so that those of many deployments do not fall together. */
const spread = 2_000

async function watchDeployment(deps: ActivityDeps, deploymentId: string): Promise<'over' | 'again'> {
  const context = Context.current()
  const { cancellationSignal: signal } = context
  const timer = setInterval(() => context.heartbeat(), heartbeatInterval)
  try {
    return await watch(deps, deploymentId, signal)
  } catch (error) {
    throw repeatedFailure('the watch was interrupted', error)
  } finally {
    clearInterval(timer)
  }
}

/**
 * One round per release: its services look side by side, each at its own interval, until another release is in force. What they find is
 * told beside that, so that nobody's look waits for it.
 */
async function watch(deps: ActivityDeps, deploymentId: string, signal: AbortSignal): Promise<'over' | 'again'> {
  const begun = await deps.store.watches.begin(deploymentId)
  if (!begun) return 'over'
  const until = Date.now() + longest
  // Watches that began together do not go on together; services of one deployment do, so that they share what is read.
  const firstShare = 0.3 + 0.7 * Math.random()
  const states = new Map(Object.entries(begun.states))
  await sleep(Math.random() * Math.min(spread, { ...defaultTimings, ...deps.timings }.watch), signal)
  while (Date.now() < until) {
    const deployment = await deps.store.deployments.get(deploymentId)
    if (!deployment || deployment.currentRelease === null) return 'over'
    const release = await releaseOf(deps.store, deploymentId, deployment.currentRelease)
    const services = servicesToWatch(deps.toolkit, release.spec)
    if (services.length === 0) return 'over'
    const glances = createGlances(
      deps,
      deploymentId,
      services.flatMap(({ service, watch }) => (watch.overrides === false ? [] : [service])),
    )
    const round = new AbortController()
    const ending = AbortSignal.any([signal, round.signal])
    const common = {
      deps,
      deploymentId,
      epoch: begun.epoch,
      release,
      states,
      glances,
      signal: ending,
      firstShare,
      until,
    }
    const looks = services.map((service) => lookOn({ ...common, service, memo: {} }))
    const telling = tellOn({ deps, deploymentId, release: release.spec, services, states, glances, signal: ending })
    const [first] = await Promise.allSettled([Promise.race(looks)])
    round.abort(new Error('the round is over'))
    const ended = await Promise.allSettled(looks)
    await telling
    signal.throwIfAborted()
    if (first?.status === 'rejected') throw first.reason
    if (ended.some((look) => look.status === 'fulfilled' && look.value === 'superseded')) {
      throw repeatedFailure('another watcher has begun')
    }
  }
  return 'again'
}
