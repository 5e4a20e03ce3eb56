import {
  type $Command,
  EC2Client,
  type EC2ClientConfig,
  type EC2ClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-ec2'
import { backoff, retry } from '../../lib/retry.ts'
import { KitbagError } from '../../model/errors.ts'
import { awsCode, throttleCodes, toKitbagError } from './errors.ts'
import { refuseForeignAnswers } from './readable-answers.ts'

/** Milliseconds for a connection, and for a whole answer: then the call is made again, or given up. */
const connectionTimeout = 5_000
const requestTimeout = 30_000

/** Milliseconds for which a call is made again and again before its failure is told. */
const patience = 60_000

/** Pauses double. Where AWS only wants fewer calls they stay short: so few are under way that each has its turn soon. */
const delay = backoff(200, 10_000)
const throttledDelay = backoff(200, 1_000)

/** Milliseconds for which a call that was turned away counts. */
const throttleMemory = 10_000

/** Changing calls under way at once; more would only be throttled. */
const mostChanges = 8

/** One of the SDK's commands. */
export type AwsCommand<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = $Command<
  Input,
  Output,
  EC2ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>

interface CallOptions {
  /** Milliseconds; default: a minute. */
  patience?: number
  /** Name of the machine that it is for, for messages. */
  machine?: string
}

type Send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: AwsCommand<Input, Output>,
  options?: CallOptions,
) => Promise<Output>

/** Throws KitbagError alone; `awsCode` tells AWS's own code of it. */
export interface Ec2 {
  send: Send
  /** For changes: waits for its turn among them. */
  change: Send
  /** Whether EC2 turned calls away not long ago because there were too many, and changes wait that matter more than reads. */
  isThrottled(): boolean
}

export function connectEc2(options: {
  region: string
  endpoint?: string | undefined
  credentials: NonNullable<EC2ClientConfig['credentials']>
}): Ec2 {
  const { region, endpoint, credentials } = options
  const client = new EC2Client({
    region,
    credentials,
    ...(endpoint !== undefined && { endpoint }),
    // Its own retries would go on where AWS has no room, which it says with a 500, and stop at an answer that it cannot read.
    maxAttempts: 1,
    requestHandler: { connectionTimeout, requestTimeout, throwOnRequestTimeout: true },
  })
  refuseForeignAnswers(client)
  const turns = limit(mostChanges)
  let throttledAt = 0
  let changes = 0
  const send: Send = (command, options = {}) => {
    const end = Date.now() + (options.patience ?? patience)
    let throttled = false
    const attempt = async () => {
      try {
        return await client.send(command)
      } catch (error) {
        throttled = throttleCodes.has(awsCode(error) ?? '')
        if (throttled) throttledAt = Date.now()
        throw toKitbagError(error, callName(command), options.machine)
      }
    }
    return retry(attempt, {
      attempts: Number.POSITIVE_INFINITY,
      delay: (count) => (throttled ? throttledDelay(count) : delay(count)),
      retryable: (error) => error instanceof KitbagError && error.retryable && Date.now() < end,
    })
  }
  return {
    send,
    async change(command, options) {
      changes++
      try {
        return await turns(() => send(command, options))
      } finally {
        changes--
      }
    },
    isThrottled: () => changes > 0 && Date.now() - throttledAt < throttleMemory,
  }
}

/** `RunInstances` of a `RunInstancesCommand`. */
export function callName(command: object): string {
  return command.constructor.name.replace(/Command$/, '')
}

/** Runs at most so many at once, first come first served. */
function limit(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
