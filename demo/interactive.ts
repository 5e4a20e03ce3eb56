import { createInterface } from 'node:readline/promises'
import type { ControlPlane } from './control-plane.ts'
import { deployGuestbook, deployment, destroyGuestbook } from './once.ts'
import { demoHome } from './paths.ts'
import { type Summary, say } from './report.ts'

function interrupted(): Promise<void> {
  return new Promise((resolve) => process.once('SIGINT', () => resolve()))
}

function whatToTry(url: string): string {
  return `
The guestbook answers at ${url}

Try, in another terminal:
  export KITBAG_HOME=${demoHome}
  curl ${url}/ping                          # again and again: two machines take turns
  ./bin/kitbag show ${deployment}
  ./bin/kitbag lb stats ${deployment}
  ./bin/kitbag scale ${deployment} web=3
  ./bin/kitbag logs ${deployment} -f
  ./bin/kitbag check ${deployment}

It stays up until Ctrl-C.`
}

/** Deploys, says what to try, stays up until Ctrl-C, then asks whether to keep or destroy. */
export async function runInteractive(plane: ControlPlane, summary: Summary): Promise<void> {
  const url = await deployGuestbook(plane, summary)
  say(whatToTry(url))
  await interrupted()
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  terminal.once('SIGINT', () => terminal.close())
  const answer = await terminal
    .question('\nKeep the guestbook and its machines? [k]eep / [D]estroy: ')
    .catch(() => 'keep')
  terminal.close()
  if (/^k/i.test(answer.trim()))
    say('Kept: the machines run on. Run `npm run demo` again to come back or to destroy them.')
  else await destroyGuestbook(plane)
}
