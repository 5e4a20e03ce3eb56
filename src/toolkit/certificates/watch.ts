import type { CertificateRecord } from '../../model/certificate.ts'
import type { JsonObject } from '../../model/json.ts'
import type { WatchDecision, WatchLevel } from '../../model/watch.ts'
import type { Concern, HealthFinding, ReadContext, ToolkitWatch, WatchContext, WatchOutcome } from '../contract.ts'
import type { CertificatesSpec } from './schema.ts'
import { isDue, rowOf, type WantedCertificate, wantedCertificates } from './wanted.ts'

/** Milliseconds between two looks: one read of rows each. */
const interval = 30_000
/** Part of the lifetime that is left when a person has to look: half of the time that there is for renewals. */
const late = 1 / 6
/** Milliseconds after which what was submitted for a certificate, and came to nothing, is submitted again. */
const again = 15 * 60_000

/** Of each certificate by its name, as they were told last. */
type Levels = Record<string, WatchLevel>
type Messages = Record<string, string>

type Judged = Pick<CertificateRecord, 'notBefore' | 'notAfter' | 'standIn' | 'failures' | 'error'>

/** How a certificate stands, in words for people. Pure. */
export function judge({ name, issuer }: WantedCertificate, row: Judged, now: Date): Omit<WatchDecision, 'data'> {
  const { notBefore, notAfter, standIn, failures, error } = row
  const left = notAfter.getTime() - now.getTime()
  const why = error === null ? '' : `: ${error}`
  if (left <= 0)
    return { level: 'alert', message: `the certificate ${name} expired at ${notAfter.toISOString()}${why}` }
  const isLate = left < (notAfter.getTime() - notBefore.getTime()) * late
  if (isLate && issuer === 'upload' && !standIn)
    return { level: 'alert', message: `the certificate ${name} ends at ${notAfter.toISOString()}: upload the next one` }
  if (isLate)
    return { level: 'alert', message: `the certificate ${name} ends at ${notAfter.toISOString()}, not renewed${why}` }
  if (standIn && issuer === 'upload') return { level: 'warn', message: `the certificate ${name} was not uploaded yet` }
  if (failures > 0) return { level: 'warn', message: `${issuer} did not give the certificate ${name}${why}` }
  return { level: 'info', message: `the certificate ${name} is good until ${notAfter.toISOString()}` }
}

/** Has what is due pushed, and tells when a certificate comes to stand differently. */
async function look(context: WatchContext<CertificatesSpec>): Promise<WatchOutcome | undefined> {
  const { made, service, spec, operation, state } = context
  if (!made) return undefined
  // A deploy sees to its certificates itself.
  if (operation?.kind === 'deploy' || operation?.kind === 'rollback') return undefined
  const now = new Date(context.now)
  const rows = await made.certificates.list(made.deployment.id)
  const found = wantedCertificates(spec).flatMap((wanted) => {
    const row = rowOf(rows, service, wanted)
    return row ? [{ wanted, row }] : []
  })
  const before = (state.levels ?? {}) as Levels
  const levels: Levels = {}
  const messages: Messages = {}
  const decisions: WatchDecision[] = []
  for (const { wanted, row } of found) {
    const judged = judge(wanted, row, now)
    levels[wanted.name] = judged.level
    if (judged.level !== 'info') messages[wanted.name] = judged.message
    if (judged.level === (before[wanted.name] ?? 'info')) continue
    const { notAfter, failures, version } = row
    decisions.push({
      ...judged,
      data: { certificate: wanted.name, notAfter: notAfter.toISOString(), failures, version },
    })
  }
  const due = found.flatMap(({ row }) => (row.nextTry && isDue(row, now) ? [row.nextTry.getTime()] : []))
  const key = due.length > 0 ? await keyFor(context, new Date(Math.min(...due))) : undefined
  return {
    ...(decisions.length > 0 && { state: { levels, messages }, decisions }),
    ...(key !== undefined && { operation: { kind: 'push' as const, request: { service }, key } }),
  }
}

/** undefined: what was submitted for it is under way, or was just over. */
async function keyFor({ submitted, now }: WatchContext<CertificatesSpec>, due: Date): Promise<string | undefined> {
  const key = due.toISOString()
  const before = await submitted(key)
  if (!before) return key
  if (before.finishedAt === null) return undefined
  const later = Math.floor((now - before.finishedAt.getTime()) / again)
  return later > 0 ? `${key} ${later}` : undefined
}

/** Each certificate, and what is wrong with it. */
export async function health({ made, service, spec }: ReadContext<CertificatesSpec>): Promise<HealthFinding[]> {
  if (!made) return []
  const rows = await made.certificates.list(made.deployment.id)
  const now = new Date()
  return wantedCertificates(spec).map((wanted): HealthFinding => {
    const { name: subject } = wanted
    const row = rowOf(rows, service, wanted)
    if (!row) return { subject, status: 'degraded', message: `the certificate ${subject} was not made yet` }
    const { level, message } = judge(wanted, row, now)
    if (row.notAfter <= now) return { subject, status: 'down', message }
    return { subject, status: level === 'info' ? 'healthy' : 'degraded', message }
  })
}

/** Those that do not stand as they should, as they were told. */
function concerns(state: JsonObject): Concern[] {
  const { levels = {}, messages = {} } = state as { levels?: Levels; messages?: Messages }
  return Object.entries(levels).flatMap(([certificate, level]) =>
    level === 'info'
      ? []
      : [
          {
            name: 'certificate-trouble',
            level,
            labels: { certificate },
            message: messages[certificate] ?? certificate,
          },
        ],
  )
}

/** Renews by itself. */
export const watch: ToolkitWatch<CertificatesSpec> = { interval: () => interval, look, concerns }
