import { ownKeyPair } from '../../lib/own-key-pair.ts'
import type { Prepared, PrepareInput } from '../contract.ts'
import { type AlertmanagerParameters, alertmanagerText, clusterArguments } from './alertmanager.ts'
import { type PrometheusParameters, prometheusFiles } from './configuration.ts'
import type { Modules } from './targets.ts'
import { signerFile, type Webhook } from './webhook-signer.ts'

/** Texts of the files, from parameters whose references are resolved. */
export async function prepare({ extra, parameters, address }: PrepareInput): Promise<Prepared> {
  if (extra === 'alertmanager') {
    const known = parameters as unknown as AlertmanagerParameters
    const made = { configuration: alertmanagerText(known), cluster: clusterArguments(known) }
    return { parameters: { ...parameters, ...made }, secrets: [] }
  }
  if (extra === 'webhook-signer') {
    const { configuration, secrets } = signerFile(parameters.webhooks as Record<string, Webhook>)
    return { parameters: { ...parameters, configuration }, secrets }
  }
  if (parameters.seed === undefined) return { parameters, secrets: [] }
  const pair = ownKeyPair(String(parameters.seed), 'exporters')
  const files = {
    ...(extra === undefined && prometheusFiles(parameters as unknown as PrometheusParameters)),
    ...(extra === 'exporter-gate' && { configuration: gateText(parameters.modules as Modules, address) }),
  }
  return { parameters: { ...parameters, ...pair, ...files }, secrets: [pair.key] }
}

function gateText(modules: Modules, address: string): string {
  const entries = Object.entries(modules).map(([name, module]) => {
    if ('command' in module) return [name, { method: 'exec', timeout: '10s', exec: { command: module.command } }]
    const { port, path = '/metrics', isOpen } = module
    // Prometheus itself reads what comes through.
    return [name, { method: 'http', timeout: '10s', http: { port, path, verify: false, ...(isOpen && { address }) } }]
  })
  return `${JSON.stringify({ modules: Object.fromEntries(entries) }, null, 1)}\n`
}
