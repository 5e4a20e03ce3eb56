import type { OperationRecord } from '../model/operation.ts'
import { makingServices } from '../planner/values.ts'
import { type ActivityDeps, defaultTimings } from './deps.ts'
import { submitPush, untilEnded } from './push.ts'
import { releaseOf } from './release-of.ts'
import { valueSource } from './value-source.ts'

/**
 * What services still have to get from elsewhere (the first certificates) a deploy waits for, but not for ever: something stands in for it, so
 * that it ends well without, and says so.
 */
export async function awaitValues(
  deps: ActivityDeps,
  { id, deploymentId }: OperationRecord,
  signal: AbortSignal,
): Promise<void> {
  const { store } = deps
  const deployment = await store.deployments.get(deploymentId)
  if (!deployment || deployment.currentRelease === null) return
  const { spec } = await releaseOf(store, deploymentId, deployment.currentRelease)
  const { firstCertificates: timeout } = { ...defaultTimings, ...deps.timings }
  for (const { values, context } of makingServices(valueSource(deps, deployment), spec)) {
    const due = await values.due(context)
    if (due === null || due > context.now) continue
    const push = await submitPush(deps, deployment, context.service, `${id} ${context.service}`)
    const ended = await untilEnded(deps, push, { timeout, signal })
    if (ended?.status === 'succeeded') continue
    const why = ended?.error?.message ?? `not ready after ${timeout / 1000} s, and goes on as operation ${push.id}`
    const message = `${context.service}: ${why}`
    await store.operations.appendEvents(id, [{ type: 'log', data: { level: 'warn', message } }])
  }
}
