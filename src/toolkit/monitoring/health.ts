import { queryPrometheus } from '../../lib/prometheus.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { HealthFinding, ReadContext } from '../contract.ts'
import { askAlertmanager } from './alertmanager-api.ts'
import type { MonitoringSpec } from './schema.ts'

type Context = ReadContext<MonitoringSpec>

/** Both daemons of every machine, and targets that give no figures. */
export async function health(context: Context): Promise<HealthFinding[]> {
  const found = await Promise.all(
    context.machines.flatMap((node) => [prometheus(context, node), alertmanager(context, node)]),
  )
  return found.flat()
}

async function prometheus({ reach }: Context, node: MachineAccess): Promise<HealthFinding[]> {
  const subject = `prometheus on ${node.name}`
  try {
    const silent = await queryPrometheus(reach, node, 'up == 0')
    if (silent.length === 0) return [{ subject, status: 'healthy', message: 'every target gives figures' }]
    return silent.map(({ labels }) => ({
      subject,
      status: 'degraded',
      message: `${labels.job} of ${labels.machine} gives no figures`,
    }))
  } catch (error) {
    return [away(subject, error)]
  }
}

async function alertmanager({ reach }: Context, node: MachineAccess): Promise<HealthFinding[]> {
  const subject = `alertmanager on ${node.name}`
  try {
    await askAlertmanager(reach, node, 'GET', '/status')
    return [{ subject, status: 'healthy', message: 'it answers' }]
  } catch (error) {
    return [away(subject, error)]
  }
}

function away(subject: string, error: unknown): HealthFinding {
  if (!(error instanceof KitbagError) || error.code === 'internal') throw error
  return { subject, status: 'down', message: error.message }
}
