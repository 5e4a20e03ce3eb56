import { afterAll, beforeAll } from 'vitest'
import { type Guest, guestAt } from '../../../support/guest.ts'
import { type MailReceiver, startMailReceiver } from '../../../support/mail-receiver.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../../../support/webhook-receiver.ts'
import { type MonitoringBox, startMonitoringBox } from './box.ts'

interface TargetRow {
  job: string
  component: string
  machine: string
  up: boolean
}

interface AlertRow {
  alert: string
  state: string
}

/** A deployment with everything that can be watched, and who is told. */
export interface Watched {
  box: MonitoringBox
  mail: MailReceiver
  hook: WebhookReceiver
  /** Address of the load balancer. */
  balancer: string
  /** Sections of the toolkit beside the monitoring. */
  services: Record<string, object>
  /** Components with so many web machines. */
  components(replicas?: number): object
  /** The monitoring's section. */
  section(more?: object): object
  /** Deploys with more in the monitoring's section. */
  deploy(more?: object, replicas?: number): Promise<unknown>
  targets(): Promise<TargetRow[]>
  alerts(): Promise<AlertRow[]>
  /** `web-1 node`: targets that answer. */
  up(): Promise<string[]>
  /** All that there are. */
  everything: string[]
  /** Asks the application through the load balancer. */
  get(path: string): Promise<string>
}

/** Stands for as long as the `describe` in which it is called. */
export function watchedDeployment(image: string): Watched {
  const machine = { image }
  const targets = async () => (await watched.box.ask<{ targets: TargetRow[] }>('/targets')).targets
  const later = {} as Pick<Watched, 'box' | 'mail' | 'hook' | 'balancer'>
  const watched: Watched = Object.assign(later, {
    services: {
      loadBalancer: {
        listeners: [
          { port: 80, to: 'web' },
          { port: 443, protocol: 'https', to: 'web', certificates: ['web'] },
        ],
        machine,
      },
      certificates: { certificates: [{ name: 'web', hosts: ['watched.example'] }] },
      dns: { zone: 'watched.example', nameservers: 1, machine },
    },
    components: (replicas = 1) => ({
      web: {
        source: './app',
        runtime: 'nodejs',
        start: 'node server.js',
        port: 8080,
        replicas,
        machine,
        health: { http: '/healthz' },
        metrics: '/metrics',
      },
      db: { recipe: 'postgresql', machine },
    }),
    section: (more: object = {}) => ({ interval: '5s', machine, ...more }),
    deploy: (more?: object, replicas?: number) =>
      watched.box.deploy(
        { ...watched.services, monitoring: watched.section(more) },
        { components: watched.components(replicas) },
      ),
    targets,
    alerts: async () => (await watched.box.ask<{ alerts: AlertRow[] }>('/alerts')).alerts,
    up: async () =>
      (await targets())
        .filter((row) => row.up)
        .map(({ job, machine: name }) => `${name} ${job}`)
        .sort(),
    get: (path: string) => fetch(`http://${watched.balancer}${path}`).then((answer) => answer.text()),
    everything: [
      ...['db-1', 'dns-1', 'load-balancer-1', 'monitoring-1', 'web-1'].flatMap((name) => [
        `${name} container`,
        `${name} node`,
      ]),
      'db-1 postgresql',
      'dns-1 dns',
      'load-balancer-1 access-log',
      'load-balancer-1 load-balancer',
      'monitoring-1 alertmanager',
      'monitoring-1 prometheus',
      'web-1 application',
    ].sort(),
  })

  beforeAll(async () => {
    ;[watched.mail, watched.hook] = await Promise.all([startMailReceiver(), startWebhookReceiver()])
    watched.box = await startMonitoringBox([image])
    await watched.deploy()
    watched.balancer = (await watched.box.machine('load-balancer-1')).address
  })

  afterAll(async () => {
    await watched.box?.close()
    await Promise.all([watched.mail?.close(), watched.hook?.close()])
  })
  return watched
}

/** One of its machines, entered from the box, so that no control plane is needed. */
export async function guestNamed({ box }: Watched, machine: string): Promise<Guest> {
  const { address } = await box.machine(machine)
  return guestAt(box.plane.home, address)
}
