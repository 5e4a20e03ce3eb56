import { createRoute, z } from '@hono/zod-openapi'
import { stream } from 'hono/streaming'
import { durationPattern, parseDuration } from '../../lib/duration.ts'
import { nearest } from '../../lib/nearest.ts'
import { sh } from '../../lib/sh.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRecord } from '../../model/machine.ts'
import type { CommandText } from '../../model/reach.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { problems } from '../http/responses.ts'
import { componentName, inDeployment } from '../schemas/names.ts'
import { accessTo } from '../views/access.ts'
import { findDeployment } from './deployments.ts'

/** As journald has them, gravest first: their places are its priorities. */
const levels = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const

const aTime = 'must be a time such as 2026-11-21T12:00:00Z, or a duration such as 15m'
const time = z
  .string()
  .refine((text) => durationPattern.test(text) || z.iso.datetime({ offset: true }).safeParse(text).success, aTime)

const route = createRoute({
  operationId: 'readLogs',
  method: 'get',
  path: '/v1/deployments/{deployment}/logs',
  tags: ['Deployments'],
  summary: 'Log lines of its machines, one JSON object a line',
  request: {
    params: inDeployment,
    query: z.object({
      component: componentName.optional(),
      machine: z.string().max(60).optional(),
      lines: z.coerce.number().int().min(0).max(10_000).default(100),
      follow: z.enum(['true', 'false']).default('false'),
      all: z
        .enum(['true', 'false'])
        .default('false')
        .openapi({ description: "The whole machine's journal, not only the component's" }),
      level: z.enum(levels).optional().openapi({ description: 'Lines of this level or a graver one' }),
      since: time.optional().openapi({ description: 'From this time, or for this long up to now, such as 15m' }),
      until: time.optional().openapi({ description: 'To this time, or to this long ago' }),
      text: z
        .string()
        .min(1)
        .max(500)
        .optional()
        .openapi({ description: 'Lines that hold it; letters of either case' }),
    }),
  },
  responses: {
    200: {
      description: 'Lines: machine, component, at, level, unit, message',
      content: { 'application/x-ndjson': { schema: z.string() } },
    },
    ...problems,
  },
})

interface JournalEntry {
  __REALTIME_TIMESTAMP?: string
  MESSAGE?: string | number[]
  PRIORITY?: string
  _SYSTEMD_UNIT?: string
}

/** A journal's line as ours; bytes that are no text arrive as numbers. */
function readEntry(line: string): { at: string; level: string; unit: string; message: string } | undefined {
  try {
    const entry = JSON.parse(line) as JournalEntry
    const message = Array.isArray(entry.MESSAGE) ? Buffer.from(entry.MESSAGE).toString('utf8') : (entry.MESSAGE ?? '')
    return {
      at: new Date(Number(entry.__REALTIME_TIMESTAMP ?? 0) / 1000).toISOString(),
      level: levels[Number(entry.PRIORITY ?? 6)] ?? 'info',
      unit: entry._SYSTEMD_UNIT ?? '',
      message,
    }
  } catch {
    return undefined
  }
}

function noSuchMachine(
  deployment: string,
  { component, machine }: { component?: string | undefined; machine?: string | undefined },
  machines: MachineRecord[],
): KitbagError {
  const [path, found] = machine === undefined ? (['component', component] as const) : (['machine', machine] as const)
  if (found === undefined)
    return new KitbagError('not-found', `${deployment} has no machines`, { fix: 'Deploy it first.' })
  const allowed = [...new Set(machines.map((row) => (path === 'machine' ? row.name : row.component)))].sort()
  const near = nearest(found, allowed)
  const message = `${deployment} has no ${path} ${found}`
  return new KitbagError('not-found', message, {
    fix: `See kitbag show ${deployment}.`,
    problems: [{ path, message, found, allowed, ...(near && { nearest: near }) }],
  })
}

type LogQuery = z.infer<typeof route.request.query>

function commandFor(component: string, { lines, follow, all, level, since, until, text }: LogQuery): CommandText {
  return sh`journalctl ${[
    '--quiet',
    '--no-pager',
    '--output=json',
    `--lines=${lines}`,
    ...(all === 'true' ? [] : [`--identifier=${component}`]),
    ...(level === undefined ? [] : [`--priority=${level}`]),
    ...(since === undefined ? [] : [`--since=${moment(since)}`]),
    ...(until === undefined ? [] : [`--until=${moment(until)}`]),
    ...(text === undefined ? [] : ['--case-sensitive=false', `--grep=${literal(text)}`]),
    ...(follow === 'true' ? ['--follow'] : []),
  ]}`
}

/** A time as journalctl takes it, by this box's clock. */
function moment(text: string, now = Date.now()): string {
  const ms = parseDuration(text)
  return `@${Math.floor((ms === undefined ? Date.parse(text) : now - ms) / 1000)}`
}

/** A regular expression (PCRE) for the text itself. */
function literal(text: string): string {
  return text.replace(/[^\p{L}\p{N}\s]/gu, '\\$&')
}

export function addLogs(api: Api, deps: ApiDeps): void {
  api.openapi(route, async (c) => {
    const query = c.req.valid('query')
    const { component, machine } = query
    const deployment = await findDeployment(deps, c.var.tenantId, c.req.valid('param').deployment)
    const all = await deps.store.machines.list(deployment.id)
    const rows = all.filter(
      (row) =>
        (component === undefined || row.component === component) && (machine === undefined || row.name === machine),
    )
    if (rows.length === 0) throw noSuchMachine(deployment.name, { component, machine }, all)
    c.header('content-type', 'application/x-ndjson')
    return stream(c, async (out) => {
      const gone = new AbortController()
      out.onAbort(() => gone.abort())
      await Promise.all(
        rows.map(async (row) => {
          const [access] = accessTo([row])
          if (!access) return
          const command = commandFor(row.component, query)
          const onLine = (line: string) => {
            const entry = readEntry(line)
            if (entry) void out.write(`${JSON.stringify({ machine: row.name, component: row.component, ...entry })}\n`)
          }
          await deps.reach
            .exec(access, command, { root: true, onLine, signal: gone.signal })
            .catch(async (error: Error) => {
              if (!gone.signal.aborted)
                await out.write(
                  `${JSON.stringify({ machine: row.name, component: row.component, error: error.message })}\n`,
                )
            })
        }),
      )
    }) as never
  })
}
