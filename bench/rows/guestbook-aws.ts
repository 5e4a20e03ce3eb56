import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blueprint } from '../../demo/guestbook.ts'
import { credentials, type Ec2Cloud, startEc2Cloud, type Traced } from '../../test/clouds/ec2/ec2-cloud.ts'
import type { Bench, Family } from '../support/bench.ts'
import { interleaved, median, seconds } from '../support/measure.ts'
import { destroy, type Plane, startPlane } from '../support/plane.ts'
import type { Measured } from '../support/row.ts'

const rounds = 4

/**
 * Seconds in which the cloud's control plane had a call in its hands, until it had started the last machine. Later ones ask how machines
 * are, while these install.
 */
function controlPlaneTime(trace: Traced[]): number {
  const last = trace.findLastIndex(({ call }) => call === 'RunInstances')
  const until = trace[last]?.ended ?? 0
  let [busy, seen] = [0, 0]
  for (const { began, ended = until } of trace.slice(0, last + 1)) {
    const [from, to] = [Math.max(began, seen), Math.min(ended, until)]
    busy += Math.max(0, to - from)
    seen = Math.max(seen, to)
  }
  return busy / 1_000
}

async function deployOn(plane: Plane, cloud: string): Promise<number> {
  const taken = await seconds(() => plane.kitbag(['deploy', blueprint, '--name', 'guestbook', '--cloud', cloud]))
  await destroy(plane, 'guestbook')
  return taken
}

async function connect(plane: Plane, { settings }: Ec2Cloud): Promise<void> {
  const files = { settings, credentials }
  const words = Object.entries(files).flatMap(([name, content]) => {
    const file = join(plane.home, `ec2-${name}.json`)
    writeFileSync(file, JSON.stringify(content))
    return [`--${name}`, file]
  })
  await plane.kitbag(['cloud', 'add', 'ec2', '--provider', 'aws', ...words])
  await plane.kitbag(['cloud', 'add', 'home', '--provider', 'local'])
}

async function run(bench: Bench): Promise<Measured[]> {
  await bench.endPlane()
  const ec2 = await startEc2Cloud({ machines: true })
  bench.cleanup.add('EC2 test cloud', ec2.close)
  const plane = await startPlane(bench.cleanup)
  await connect(plane, ec2)
  const controlPlane: number[] = []
  const taken = await interleaved(rounds, {
    local: () => deployOn(plane, 'home'),
    ec2: async () => {
      bench.signal.throwIfAborted()
      const before = ec2.trace.length
      const whole = await deployOn(plane, 'ec2')
      controlPlane.push(controlPlaneTime(ec2.trace.slice(before)))
      return whole
    },
  })
  const own = median(controlPlane)
  const detail = `${taken.ec2.toFixed(1)} s, ${own.toFixed(1)} s of them the control plane's, against ${taken.local.toFixed(1)} s, ${rounds} pairs`
  return [{ value: (taken.ec2 - own) / taken.local, detail }]
}

export const guestbookAws: Family = {
  name: 'guestbook-aws',
  rows: [
    {
      name: 'guestbook-aws',
      what: "whole first deploy of examples/guestbook on the EC2 test cloud, the control plane's own time taken off, against the same on `local`",
      unit: 'x',
      bar: { atMost: 1.15 },
    },
  ],
  run,
}
