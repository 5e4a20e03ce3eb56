import { createRoute, z } from '@hono/zod-openapi'
import { stream } from 'hono/streaming'
import { nearest } from '../../lib/nearest.ts'
import { sh } from '../../lib/sh.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRecord } from '../../model/machine.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { problems } from '../http/responses.ts'
import { componentName, inDeployment } from '../schemas/names.ts'
import { accessTo } from '../views/access.ts'
import { findDeployment } from './deployments.ts'

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
    }),
  },
  responses: {
    200: {
      description: 'Lines: machine, component, at, message',
      content: { 'application/x-ndjson': { schema: z.string() } },
    },
    ...problems,
  },
})

interface JournalEntry {
  __REALTIME_TIMESTAMP?: string
  MESSAGE?: string | number[]
}

/** A journal's line as ours; bytes that are no text arrive as numbers. */
function readEntry(line: string): { at: string; message: string } | undefined {
  try {
    const entry = JSON.parse(line) as JournalEntry
    const message = Array.isArray(entry.MESSAGE) ? Buffer.from(entry.MESSAGE).toString('utf8') : (entry.MESSAGE ?? '')
    return { at: new Date(Number(entry.__REALTIME_TIMESTAMP ?? 0) / 1000).toISOString(), message }
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

export function addLogs(api: Api, deps: ApiDeps): void {
  api.openapi(route, async (c) => {
    const { component, machine, lines, follow, all: whole } = c.req.valid('query')
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
          const only = whole === 'true' ? sh`` : sh`--identifier=${row.component}`
          const command = sh`journalctl --quiet --no-pager --output=json --lines=${String(lines)} ${only} ${follow === 'true' ? sh`--follow` : sh``}`
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
