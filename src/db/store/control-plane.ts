import type { JsonObject } from '../../model/json.ts'

export interface InstallationStore {
  /** Made at the first start. */
  get(): Promise<{ id: string; sshPublicKey: string; sshPrivateKey: string; tenantId: string }>
}

export interface TokenStore {
  /** Returns the token in clear, once: `kbt_` and 43 characters. */
  create(tenantId: string, name: string): Promise<{ id: string; token: string }>
  /** The tenant that a token belongs to. */
  authenticate(token: string): Promise<{ tenantId: string; name: string } | undefined>
  list(tenantId: string): Promise<{ id: string; name: string; createdAt: Date }[]>
  remove(tenantId: string, id: string): Promise<boolean>
}

export interface CloudRecord {
  id: string
  tenantId: string
  name: string
  provider: string
  settings: JsonObject
  createdAt: Date
}

export interface CloudStore {
  /** Throws `conflict` when the name is taken. */
  create(
    tenantId: string,
    cloud: { name: string; provider: string; settings: JsonObject; credentials: JsonObject },
  ): Promise<CloudRecord>
  list(tenantId: string): Promise<CloudRecord[]>
  getByName(tenantId: string, name: string): Promise<CloudRecord | undefined>
  get(id: string): Promise<(CloudRecord & { credentials: JsonObject }) | undefined>
  /** undefined: there is none of that name. Absent credentials stay. */
  update(
    tenantId: string,
    name: string,
    change: { settings: JsonObject; credentials?: JsonObject },
  ): Promise<CloudRecord | undefined>
  /** Throws `conflict` naming the deployments that still use it. */
  remove(tenantId: string, name: string): Promise<boolean>
}

export interface BlobStore {
  /** Stores a stream under its digest. Throws `too-large` past 512 MiB, `invalid-request` when the bytes have another digest. */
  put(tenantId: string, digest: string, bytes: AsyncIterable<Uint8Array>): Promise<{ size: number }>
  has(tenantId: string, digests: string[]): Promise<string[]>
  read(tenantId: string, digest: string): AsyncIterable<Buffer>
}
