import { sh } from '../../lib/sh.ts'
import { KitbagError } from '../../model/errors.ts'
import type { ControlContext } from '../contract.ts'
import { challengesMap } from './configuration.ts'
import { changeMap } from './maps.ts'
import type { LoadBalancerSpec } from './schema.ts'

/** RFC 8555, 8.1 and 8.3: base64url, and `.` before the account key's thumbprint. */
const tokenPattern = /^[A-Za-z0-9_-]{1,200}$/
const authorizationPattern = /^[A-Za-z0-9_.-]{1,400}$/

/**
 * What listeners on port 80 answer below /.well-known/acme-challenge/: token -> key authorization, those given and no others, on every node
 * that can be reached, before it returns: who asks one that is away gets no answer anyhow. Kept by reloads and restarts; no check or deploy
 * touches it. Idempotent. Throws as the socket does, and when no node can be reached.
 */
export async function setChallenges(
  { reach, machines }: Pick<ControlContext<LoadBalancerSpec>, 'reach' | 'machines'>,
  challenges: ReadonlyMap<string, string>,
): Promise<void> {
  const wanted = new Map<string, string>()
  for (const [token, authorization] of challenges) {
    if (!tokenPattern.test(token) || !authorizationPattern.test(authorization))
      throw new KitbagError('invalid-request', `the ACME challenge ${JSON.stringify(token.slice(0, 80))} is none`)
    wanted.set(`/.well-known/acme-challenge/${token}`, authorization)
  }
  const text = [...wanted].map(([path, authorization]) => `${path} ${authorization}\n`).join('')
  const write = sh`umask 022 && cat >${challengesMap}.new && mv ${challengesMap}.new ${challengesMap}`
  const attempts = await Promise.allSettled(
    machines.map(async (node) => {
      // The file first: a reload in between begins with what it holds.
      const { status, stderr } = await reach.exec(node, write, { root: true, stdin: text, timeout: 10_000 })
      if (status !== 0)
        throw new KitbagError('service-failed', `${node.name}: ${challengesMap} cannot be written: ${stderr.trim()}`, {
          machine: node.name,
          retryable: true,
        })
      await changeMap(reach, node, challengesMap, wanted)
    }),
  )
  const reasons = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []))
  const others = reasons.filter((reason) => !(reason instanceof KitbagError && reason.code === 'machine-unreachable'))
  if (others.length > 0) throw others[0]
  if (reasons.length > 0 && reasons.length === machines.length) throw reasons[0]
}
