import type { PublicAddresses } from '../support/public-addresses.ts'
import type { Json } from './arm-error.ts'
import type { Faults } from './faults.ts'
import type { Resource, World } from './world.ts'

/** What a resource type sees of its cloud. */
export interface Cloud {
  world: World
  subscription: string
  /** Where it listens. */
  origin: string
  faults: Faults
  /** Cores that may be used altogether. */
  cores: number
  /** Resources in one answer of a list. */
  pageSize: number
  /** Milliseconds that long-running operations take. */
  operationTime: number
  /** Real machines, when there are. */
  behind?: Behind
}

/** Brings a machine to life, and ends it; rejects when it cannot. */
export interface Behind {
  boot(machine: {
    id: string
    address: string
    image: string
    user: string
    userData: string
    cpu: number
    memory: number
  }): Promise<void>
  end(id: string): Promise<void>
  console(id: string): Promise<string>
  /** Where public addresses of theirs are. */
  outside: Pick<PublicAddresses, 'prefix' | 'prefix6' | 'publish'>
}

export interface PutBody {
  location?: string
  tags?: Record<string, string>
  zones?: string[]
  sku?: Json
  properties?: Json
}

/** The rules of one resource type. */
export interface ResourceType {
  type: string
  apiVersions: string[]
  /** Model of the network SDK that its bodies are held against, both ways. */
  model?: string
  /** Actions on other resources that a body needs: id -> action. */
  linked(body: PutBody): { id: string; action: string }[]
  /** Checks a body against its rules and against what is; gives what is stored. Throws ArmError. */
  make(body: PutBody, before: Resource | undefined, id: string, cloud: Cloud): Json
  /** What the long-running creation does; gives the error that it ends with. */
  created?(resource: Resource, cloud: Cloud): Promise<{ code: string; message: string } | undefined>
  /** Code and status when something depends on it. */
  inUse: { status: number; code: string }
  /** Whether somebody depending on it keeps it from being deleted. Default: anybody. */
  holds?(dependant: Resource): boolean
  deleted?(resource: Resource, cloud: Cloud): Promise<void>
  /** Properties as answered, beside those stored. */
  view(resource: Resource, cloud: Cloud, expand: string | null): Json
}
