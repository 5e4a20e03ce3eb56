import type { ControlPlane } from './control-plane.ts'
import { deployment } from './destroy.ts'
import { blueprint } from './guestbook.ts'
import { kitbag } from './kitbag.ts'
import { type Summary, say, timed } from './report.ts'

export interface Shown {
  url?: string
  machines: { name: string; component: string; status: string }[]
  release: number | null
}

export async function show(plane: ControlPlane): Promise<Shown> {
  return (await kitbag(['show', deployment], { env: plane.env })) as Shown
}

/** First deploy, with the CLI's own progress. Returns the application's address. */
export async function deployGuestbook(plane: ControlPlane, summary: Summary, signal: AbortSignal): Promise<string> {
  const args = ['deploy', blueprint, '--name', deployment, '--cloud', 'home']
  await timed(summary, 'deploy', 'deploy: examples/guestbook', () =>
    kitbag(args, { env: plane.env, show: true, signal }),
  )
  const shown = await show(plane)
  summary.machines = shown.machines.length
  summary.url = shown.url ?? ''
  if (summary.url === '') throw new Error('the deployment has no address')
  say(`   ${summary.url}`)
  return summary.url
}
