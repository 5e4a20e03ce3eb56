import { join } from 'node:path'
import { root } from '../../demo/paths.ts'
import { startLoad } from '../load.ts'
import type { Bench, Family } from '../support/bench.ts'
import { destroy } from '../support/plane.ts'
import type { Measured, RowSpec } from '../support/row.ts'
import { say } from '../support/say.ts'

const name = 'certificate-change'
const connections = 50
/** Requests under way while certificates change, per connection mode. */
const least = 50_000
const host = 'www.shop.example'

/** Renews the certificate again and again under one unbroken load, until that has seen enough requests. */
async function run(bench: Bench): Promise<Measured[]> {
  const plane = await bench.plane()
  bench.cleanup.add(name, () => destroy(plane, name))
  await plane.kitbag(['deploy', join(root, 'bench/https.yaml'), '--name', name, '--cloud', 'home'])
  const { components } = (await plane.kitbag(['show', name])) as {
    components: { outputs: { host?: string }; name: string }[]
  }
  const address = components.find((component) => component.name === 'loadBalancer')?.outputs.host
  const { certificate } = (await plane.kitbag(['certificates', 'ca', name])) as { certificate: string }
  const rows: Measured[] = []
  for (const keepAlive of [true, false]) {
    const tls = { ca: [certificate], servername: host }
    const load = startLoad(`https://${address}/`, { connections, keepAlive, tls })
    bench.cleanup.add('load', async () => void (await load.stop()))
    let renewals = 0
    for (; load.result.total < least; renewals++) {
      bench.signal.throwIfAborted()
      await plane.kitbag(['certificates', 'renew', name, 'web'])
      say(`   keep-alive ${keepAlive ? 'yes' : 'no'}: ${load.result.total} requests, ${renewals + 1} renewals`)
    }
    const { failed, total, failures } = await load.stop()
    if (failed > 0) say(`   failed requests: ${JSON.stringify(failures)}`)
    const detail = `${failed} of ${total} requests failed over ${renewals} renewals, ${connections} connections`
    rows.push({ value: failed, holds: total >= least, detail })
  }
  return rows
}

function row(mode: string): RowSpec {
  return {
    name: `${name}-${mode.replace(/ /g, '-')}`,
    what: `a certificate renewed under ${connections} connections of https, ${mode}: failed of at least 50,000 requests`,
    unit: 'failed',
    bar: { atMost: 0 },
  }
}

export const certificateChange: Family = {
  name,
  rows: ['keep-alive', 'connection per request'].map(row),
  run,
}
