/** What a certificate authority asks to be shown (RFC 8555, 8): of a name, without the `*.` of a wildcard. */
export interface Challenge {
  type: 'http-01' | 'dns-01'
  host: string
  /** http-01: the last part of the path. */
  token: string
  /** http-01: the body; dns-01: the text of the record. */
  value: string
}

/** An order at a certificate authority that was begun. Its key is kept beside it, encrypted. */
export interface CertificateOrder {
  url: string
}

/** A certificate that a release asks for; there is always one to serve. */
export interface CertificateRecord {
  id: string
  deploymentId: string
  service: string
  name: string
  /** Digest of what it is for: another issuer or other hosts are another certificate. */
  purpose: string
  /** Goes up with each new certificate. */
  version: number
  /** PEM: the certificate first, then those that signed it. */
  chain: string
  /** It stands in until there is one of the issuer. */
  standIn: boolean
  notBefore: Date
  notAfter: Date
  /** When the next one is to be had; null: only by an upload. */
  nextTry: Date | null
  /** Failures in a row. */
  failures: number
  /** Why the last try failed. */
  error: string | null
  order: CertificateOrder | null
  challenges: Challenge[]
}

/** What a certificate consists of. */
export interface CertificateMaterial {
  chain: string
  /** PEM. */
  key: string
  standIn: boolean
  notBefore: Date
  notAfter: Date
  nextTry: Date | null
}

/** The deployment's own certificate authority. */
export interface CertificateAuthority {
  id: string
  /** PEM. */
  certificate: string
  key: string
}

/** An account at a certificate authority. */
export interface AcmeAccount {
  /** PEM. */
  key: string
  /** null: not registered yet. */
  url: string | null
}

/** Certificates and what belongs to them, as rows; keys are encrypted at rest. */
export interface CertificateStore {
  /** Made at the first call, the same ever after. */
  authority(deploymentId: string, make: () => { certificate: string; key: string }): Promise<CertificateAuthority>
  /** Its certificate; undefined before the first call of `authority`. */
  authorityCertificate(deploymentId: string): Promise<{ id: string; certificate: string } | undefined>
  list(deploymentId: string): Promise<CertificateRecord[]>
  get(id: string): Promise<CertificateRecord | undefined>
  /** PEM. Throws `not-found`. */
  keyOf(id: string): Promise<string>
  /** Adds it, unless there is one of the same service, name and purpose. */
  add(
    deploymentId: string,
    certificate: { service: string; name: string; purpose: string } & CertificateMaterial,
  ): Promise<void>
  /** A new certificate in place of the last: its version goes up, failures and order are forgotten. */
  replace(id: string, material: CertificateMaterial): Promise<void>
  /** Partial update. */
  update(
    id: string,
    change: Partial<Pick<CertificateRecord, 'nextTry' | 'failures' | 'error' | 'challenges'>>,
  ): Promise<void>
  /** Stores an order with the key that it is for, or that there is none any more. */
  setOrder(id: string, order: (CertificateOrder & { key: string }) | null): Promise<void>
  /** PEM of the key that the order is for. */
  orderKey(id: string): Promise<string | undefined>
  /** Takes it for `ms`, or longer when it is one's own already; false: somebody else has it. */
  claim(id: string, owner: string, ms: number): Promise<boolean>
  release(id: string, owner: string): Promise<void>
  /** The account of a directory and contact; `make` gives its key at the first call. */
  account(tenantId: string, name: string, make: () => string): Promise<AcmeAccount>
  setAccountUrl(tenantId: string, name: string, url: string | null): Promise<void>
}

/** A certificate of the deployment's own authority that one machine serves with. It goes with its machine. */
export interface ServerCertificateRecord {
  machineId: string
  /** Goes up with each new certificate. */
  version: number
  /** PEM. */
  certificate: string
  /** Names and addresses that it is for. */
  hosts: string[]
  /** When another one takes its place: soon, as long as the machine has not been brought to serve with it. */
  renewAt: Date
}

/** Servers' certificates, as rows; keys are encrypted at rest. */
export interface ServerCertificateStore {
  list(deploymentId: string): Promise<ServerCertificateRecord[]>
  /** PEM. Throws `not-found`. */
  keyOf(machineId: string): Promise<string>
  /** The machine's first one, or another in place of the last: its version goes up. Throws `not-found` for a machine that is gone. */
  put(
    machineId: string,
    certificate: Pick<ServerCertificateRecord, 'certificate' | 'hosts' | 'renewAt'> & { key: string },
  ): Promise<void>
  setRenewal(machineId: string, renewAt: Date): Promise<void>
  /** Deployments of certificates whose time has come, each once. */
  due(now: Date): Promise<string[]>
}
