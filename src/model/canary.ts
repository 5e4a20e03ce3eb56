import type { JsonObject } from './json.ts'

/** A release on trial: some machines of one component have it, and a share of the traffic. The release in force stays in force. */
export interface Canary {
  component: string
  /** Percent of the component's traffic. */
  share: number
  /** Names of the machines that have it. */
  machines: string[]
  /** Service -> key -> fields of an override that give them their share. */
  overrides: Record<string, Record<string, JsonObject>>
}

/** One that is in force, as it is kept. */
export interface StoredCanary extends Canary {
  release: number
}
