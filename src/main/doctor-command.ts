import type { Finding } from '../model/finding.ts'
import { readConfig } from './config.ts'
import { examine } from './doctor.ts'
import { setUp } from './setup.ts'

/** `kitbag doctor`: what this box has and lacks. Returns status 1 when something is missing. With `fix` it is got first. */
export async function doctorCommand({ fix, json }: { fix?: boolean; json?: boolean }): Promise<number> {
  const config = readConfig()
  if (fix) {
    await setUp({
      home: config.home,
      cache: config.cache,
      images: ['debian-12', 'debian-13'],
      onProgress: (step, detail) => process.stderr.write(`${step}: ${detail}\n`),
      localMachines: 'if-possible',
    })
  }
  const findings = await examine(config)
  process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : findings.map(toLine).join(''))
  return findings.every(({ ok }) => ok) ? 0 : 1
}

function toLine({ name, ok, detail }: Finding): string {
  return `${ok ? 'ok     ' : 'missing'}  ${name}: ${detail}\n`
}
