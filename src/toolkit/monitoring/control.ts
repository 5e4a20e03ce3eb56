import { sleep } from '../../lib/clock.ts'
import { httpOverReach } from '../../lib/http-over-reach.ts'
import { prometheusPort } from '../../lib/prometheus.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import { type ControlContext, noTraffic, type ToolkitControl } from '../contract.ts'
import { markIn } from './configuration.ts'
import type { MonitoringSpec } from './schema.ts'

type Control = ToolkitControl<MonitoringSpec>

/** Milliseconds in which Prometheus starts, or reads its files anew. */
const settleTime = 30_000
const pollMs = 100

/** Waits until Prometheus runs with the files that were written: a reload says nothing of what became of it. */
const afterConfigure: Control['afterConfigure'] = async (context, node, parameters) => {
  const wanted = markIn(String(parameters.configuration ?? ''))
  for (const deadline = Date.now() + settleTime; ; await sleep(pollMs, context.signal)) {
    const found = await loaded(context, node)
    if (found.mark === wanted) return
    if (Date.now() > deadline)
      throw new KitbagError(
        'service-failed',
        `Prometheus on ${node.name} did not take its configuration: ${found.why}`,
        {
          machine: node.name,
          output: await lastWords(context, node),
          fix: 'Mend what it names, then deploy again.',
        },
      )
  }
}

async function loaded(
  { reach, signal }: ControlContext<MonitoringSpec>,
  node: MachineAccess,
): Promise<{ mark?: string | undefined; why: string }> {
  try {
    const { status, body } = await httpOverReach(reach, node, {
      host: '127.0.0.1',
      port: prometheusPort,
      path: '/api/v1/status/config',
      timeout: 5000,
      ...(signal && { signal }),
    })
    if (status !== 200) return { why: `it answers ${status}` }
    const { data } = JSON.parse(body) as { data?: { yaml?: string } }
    return { mark: markIn(data?.yaml ?? ''), why: 'it runs with another' }
  } catch (error) {
    if (error instanceof KitbagError && error.code === 'service-failed') return { why: error.message }
    throw error
  }
}

async function lastWords({ reach }: ControlContext<MonitoringSpec>, node: MachineAccess): Promise<string> {
  const command = 'journalctl --quiet --no-pager --output=cat --unit=prometheus --lines=20'
  const { stdout } = await reach.exec(node, command, { root: true, timeout: 5000 })
  return stdout.trimEnd()
}

export const control: Control = { ...noTraffic, afterConfigure }
