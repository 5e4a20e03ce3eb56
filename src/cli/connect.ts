import { type Client, createClient } from '../api/client.ts'
import { findConnection } from './connection.ts'

/** A client of the control plane that the environment names. */
export function connect(): Client {
  return createClient(findConnection())
}

/** The path of a deployment in the API, and of what is below it. */
export function deploymentPath(name: string, below = ''): string {
  return `/v1/deployments/${encodeURIComponent(name)}${below}`
}
