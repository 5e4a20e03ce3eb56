import { z } from 'zod'
import { KitbagError } from '../../model/errors.ts'
import type { ToolkitRoute } from '../contract.ts'
import type { Policy } from './schema.ts'
import { pauseKey, readState } from './watch.ts'

/** Decisions that an answer holds, at most. */
const most = 100

const showRoute: ToolkitRoute<Policy> = {
  id: 'show',
  method: 'get',
  path: '/state',
  summary: 'The policy in short, and what was decided last',
  response: z.object({
    policy: z.array(
      z.object({
        component: z.string(),
        min: z.int(),
        max: z.int(),
        size: z.int().nullable().describe('Machines that were decided on last; null before the first decision'),
        reason: z.string().describe('In one word'),
        message: z.string(),
      }),
    ),
  }),
  cli: [{ name: 'show', summary: 'Show the policy and its last decision' }],
  async read({ spec, watch }) {
    const { size, reason, message } = readState((await watch?.state()) ?? {})
    const { component, min, max } = spec
    return { policy: [{ component, min, max, size, reason, message }] }
  },
}

const explainRoute: ToolkitRoute<Policy> = {
  id: 'explain',
  method: 'get',
  path: '/decisions',
  summary: 'What was decided and why, with the figures it was decided by, the newest first',
  response: z.object({
    decisions: z.array(
      z.object({
        at: z.string(),
        level: z.enum(['info', 'warn', 'alert']),
        message: z.string(),
        data: z
          .record(z.string(), z.unknown())
          .describe('from, to, reason, and inputs: each figure and what it asks for'),
      }),
    ),
  }),
  cli: [{ name: 'explain', summary: 'Show what was decided and why' }],
  async read({ watch }) {
    const decisions = (await watch?.decisions(most)) ?? []
    return {
      decisions: decisions.map(({ at, level, message, data }) => ({ at: at.toISOString(), level, message, data })),
    }
  },
}

const pauseRoute: ToolkitRoute<Policy> = {
  id: 'pause',
  method: 'patch',
  path: '/state',
  summary: 'Pauses or resumes it; kept until it is changed again',
  body: z.strictObject({ paused: z.boolean().describe('true: it changes nothing') }),
  response: z.object({}),
  cli: [
    { name: 'pause', summary: 'Change no sizes until it is resumed', fixed: { paused: true } },
    { name: 'resume', summary: 'Go on after a pause', fixed: { paused: false } },
  ],
  change({ params, body }) {
    if (Object.keys(params).length > 0) throw new KitbagError('not-found', 'an autoscaler has no parts')
    return { [pauseKey]: body.paused === true ? { paused: true } : null }
  },
}

export const routes: ToolkitRoute<Policy>[] = [showRoute, explainRoute, pauseRoute]
