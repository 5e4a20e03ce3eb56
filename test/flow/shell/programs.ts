import { randomBytes } from 'node:crypto'
import { sh } from '../../../src/lib/sh.ts'
import type { HostProgram } from '../../../src/model/program.ts'

export interface TestResource {
  resource: string
  /** Shell that says by its status whether there is anything to do. */
  unless?: string
  /** Shell that does it; its failure fails the resource. */
  run?: string
}

/** A small program that speaks the event protocol as recipes' programs do. */
export function testProgram(resources: TestResource[], artifacts: HostProgram['artifacts'] = []): HostProgram {
  const nonce = randomBytes(16).toString('hex')
  const steps = resources.map(({ resource, unless = 'false', run = 'true' }, index) => {
    const say = (status: string, rest = '') =>
      `printf '%s\\n' ${sh`${`${nonce} {"index":${index},"resource":"${resource}","status":"${status}","changes":[]${rest}}`}`} >&3`
    return [
      `if [ -e /run/kitbag/stop.${nonce} ]; then printf '%s {"end":true,"stopped":true,"changed":%s}\\n' ${nonce} "$c" >&3; rm -f /run/kitbag/stop.${nonce}; exit 0; fi`,
      `if ${unless}; then ${say('ok')}`,
      `elif ( ${run} ); then c=$((c + 1)); ${say('changed')}`,
      `else ${say('failed', ',"output":"the last words"')}; printf '%s {"end":true,"changed":%s}\\n' ${nonce} "$c" >&3; exit 0; fi`,
    ].join('\n')
  })
  const body = [
    'exec 3>&1 1>&2 </dev/null',
    'c=0',
    ...steps,
    `printf '%s {"end":true,"changed":%s}\\n' ${nonce} "$c" >&3`,
  ]
  return {
    text: `program() {\n${body.join('\n')}\n}\n{ program; exit; }\n`,
    nonce,
    resources: resources.map(({ resource }, index) => ({ index, resource })),
    artifacts,
  }
}

export async function* noBlobs(digest: string): AsyncIterable<Uint8Array> {
  yield* []
  throw new Error(`nobody has the blob ${digest}`)
}
