import type { CertificateStore, Challenge } from '../../model/certificate.ts'
import type { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Overrides } from './control.ts'

export interface MadeRows {
  deployment: ServedDeployment
  certificates: CertificateStore
}

export interface ServedDeployment {
  id: string
  tenantId: string
  name: string
}

/** What a service makes itself and keeps in rows, for others to refer to (`${certificates.web.pem}`). It has no machines. */
export interface ToolkitValues<Spec = unknown> {
  /** What others may refer to: `web.pem`. From a section as it is written, which may be wrong. */
  outputs(section: unknown): string[]
  /** A word for each output that is there, another one when it changes. */
  versions(context: ValuesContext<Spec>): Promise<Record<string, string>>
  read(context: ValuesContext<Spec>): Promise<Record<string, ServiceValue>>
  /**
   * Makes every output that is not there yet; before anything is configured. Idempotent, and done at once.
   * `retry`: what stands in because it could not be had is due now, whenever else it would be tried again.
   */
  ensure(context: ValuesContext<Spec> & { retry?: true }): Promise<void>
  /** When there is something to do next; null: never by itself. */
  due(context: ValuesContext<Spec>): Promise<Date | null>
  /** Does what is due about them (renewals), which may take minutes. Failures are stored; the next try has its time. */
  refresh(context: RefreshContext<Spec>): Promise<Refreshed>
}

export interface ServiceValue {
  value: string
  secret: boolean
}

export interface ValuesContext<Spec> extends MadeRows {
  service: string
  spec: Spec
  now: Date
}

export interface RefreshContext<Spec> extends ValuesContext<Spec> {
  /** The row that somebody asked to have refreshed; another try of it that failed meanwhile is no answer to that. */
  asked?: string
  /** Who does it; a repeated try of the same is the same. */
  owner: string
  /** Value of a reference to a secret. */
  secret(reference: string): Promise<string>
  /** Shows the challenges of one certificate, and no other ones of it; returns when they are to be seen. Throws where nothing can. */
  show(certificateId: string, challenges: Challenge[]): Promise<void>
  /** Tells people how it goes. */
  tell(message: string): Promise<void>
  /** Milliseconds until the first try after a failure; then doubling. */
  retry: number
  signal: AbortSignal
}

export interface Refreshed {
  /** How many are new. */
  changed: number
  failures: KitbagError[]
}

/** How a service shows a certificate authority that the deployment has a name, by records (dns-01: RFC 8555, 8.4). */
export interface ChallengeSolver<Spec = unknown> {
  /** Whether it can show a challenge of the host. */
  covers(input: { spec: Spec; overrides: Overrides }, host: string): boolean
  /** Changes of its overrides after which it shows these challenges, and none of before. Brought into force by a push. */
  overrides(input: { spec: Spec; overrides: Overrides }, challenges: Challenge[]): Record<string, JsonObject | null>
}
