import { relative } from 'node:path'
import { ask } from '../src/cli/ask.ts'
import type { ControlPlane } from './control-plane.ts'
import { deployGuestbook } from './deploy.ts'
import { deployment, removeAll } from './destroy.ts'
import { aborted } from './interruption.ts'
import { root, toolkitBlueprint } from './paths.ts'
import { type Summary, say } from './report.ts'

function whatToTry(url: string, { env }: ControlPlane): string {
  const kitbag = `./${relative(process.cwd(), root) || '.'}/bin/kitbag`.replace('/./', '/')
  return `
The guestbook answers at ${url}

Try, in another terminal:
  export KITBAG_HOME=${env.KITBAG_HOME}
  curl -i ${url}/ping    # x-served-by: two machines take turns
  ${kitbag} show ${deployment}
  ${kitbag} lb stats ${deployment}
  ${kitbag} scale ${deployment} web=3
  ${kitbag} logs ${deployment} -f
  ${kitbag} check ${deployment}
  ${kitbag} deploy ${relative(process.cwd(), toolkitBlueprint)}    # the whole toolkit: docs/shop.md

It stays up until Ctrl-C.`
}

/** Deploys, says what to try, stays up until Ctrl-C (which may come while it still deploys), then asks whether to keep or destroy. */
export async function runInteractive(plane: ControlPlane, summary: Summary, interrupted: AbortSignal): Promise<void> {
  try {
    const url = await deployGuestbook(plane, summary, interrupted)
    say(whatToTry(url, plane))
    await aborted(interrupted)
  } catch (error) {
    if (!interrupted.aborted) throw error
  }
  if (await wantsToKeep()) {
    say('Kept: the machines run on. `npm run demo` comes back to them.')
    return
  }
  await removeAll(plane)
  say('Destroyed: no machine is left.')
}

/** Another Ctrl-C, or a terminal that is gone, keeps: that can be undone. */
async function wantsToKeep(): Promise<boolean> {
  const answer = await ask('\nKeep the guestbook and its machines? [k]eep / [D]estroy: ')
  return answer === undefined || /^k/i.test(answer.trim())
}
