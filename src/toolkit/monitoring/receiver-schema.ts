import { z } from 'zod'
import { strict } from '../../lib/fields.ts'
import { isReference, type Value } from '../../model/value.ts'

export const receiverName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and hyphens, beginning with a letter')

const secret = z.custom<Value>((value) => isReference(value), 'must be a secret such as ${secrets.TOKEN}')
const address = z
  .string()
  .max(254)
  .regex(/^[^\s@<>,;"]+@[^\s@<>,;"]+$/, 'must be a mail address')
const plainUrl = z
  .string()
  .max(1000)
  .regex(/^https?:\/\/[^\s/?#@]+(?:[/?#]\S*)?$/, 'must be a URL such as https://ops.example/alerts')
const url = z.union([plainUrl, secret])

const shapes = {
  mail: strict({
    to: z.union([address, z.array(address).min(1).max(20)]).describe('Who gets it'),
    from: address.describe('Sender'),
    server: z
      .string()
      .max(260)
      .regex(/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/, 'must be HOST:PORT')
      .describe('SMTP server, such as mail.example:587'),
    user: z.string().min(1).max(254).optional(),
    password: secret.optional().describe('By reference: ${secrets.MAIL_PASSWORD}'),
    tls: z.boolean().default(true).describe('false lets mail go in clear where the server offers no TLS'),
  }),
  webhook: strict({
    url: url.describe('Alertmanager posts its JSON there'),
    secret: secret
      .optional()
      .describe('Signs each notification (header `X-Kitbag-Signature`), by reference: ${secrets.HOOK_SECRET}'),
    token: secret.optional().describe('Sent as `Authorization: Bearer`, for gateways that ask for one, by reference'),
  }),
  slack: strict({
    url: url.describe("Incoming webhook of Slack, or of what understands Slack's messages"),
    channel: z.string().min(1).max(80).optional(),
  }),
  pagerduty: strict({
    key: secret.describe('Routing key of the Events API v2, by reference'),
    url: plainUrl.default('https://events.pagerduty.com/v2/enqueue').describe('Where events go'),
  }),
}

const kinds = Object.keys(shapes)

/** One receiver: exactly one kind of address. */
export const receiverField = strict({
  mail: shapes.mail.optional(),
  webhook: shapes.webhook.optional(),
  slack: shapes.slack.optional(),
  pagerduty: shapes.pagerduty.optional(),
}).refine((value) => Object.values(value).filter((one) => one !== undefined).length === 1, {
  message: `takes one of ${kinds.join(', ')}`,
})

export type ReceiverSpec = z.output<typeof receiverField>
