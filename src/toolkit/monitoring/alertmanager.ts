import type { MachineFact } from '../../model/recipe.ts'
import type { ReceiverSpec } from './receiver-schema.ts'
import { type Door, toSigner } from './webhook-signer.ts'

/** The recipe's parameters, resolved: what was a reference to a secret is that secret. */
export interface AlertmanagerParameters {
  notify: Record<string, ReceiverSpec>
  /** Milliseconds. */
  repeat: number
  /** Every machine that has one. */
  machines: MachineFact[]
}

/** Where Alertmanagers tell each other what they told, so that nobody is told twice. */
const gossipPort = 9094

/** How several find each other; empty for one alone. */
export function clusterArguments({ machines }: Pick<AlertmanagerParameters, 'machines'>): string {
  if (machines.length < 2) return ''
  const host = (address: string) => (address.includes(':') ? `[${address}]` : address)
  return machines.map(({ address }) => `--cluster.peer=${host(address)}:${gossipPort}`).join(' ')
}

/** Label of a test alert: its route waits for nothing, and goes to that receiver alone. */
export const testLabel = 'kitbag_test'

/** The same receiver once more, for tests: by its name the log tells them from alerts. */
export function testReceiverName(receiver: string): string {
  return `test/${receiver}`
}

/** No receiver of the user's can be called so. */
const nobody = 'kitbag/nobody'

const subject = '{{ .Status | toUpper }} {{ .CommonLabels.alertname }}'
const body = '{{ range .Alerts }}{{ .Annotations.summary }}\n{{ end }}'

/** alertmanager.yml, which is JSON too. */
export function alertmanagerText({ notify, repeat }: Omit<AlertmanagerParameters, 'machines'>): string {
  const names = Object.keys(notify)
  const configuration = {
    route: {
      receiver: nobody,
      group_by: ['alertname', 'component'],
      group_wait: '5s',
      group_interval: '1m',
      repeat_interval: `${repeat}ms`,
      routes: [
        ...names.map((name) => ({
          receiver: testReceiverName(name),
          matchers: [`${testLabel}="${name}"`],
          group_by: ['...'],
          group_wait: '0s',
        })),
        { receiver: nobody, matchers: [`${testLabel}!=""`] },
        // Without a `notify` of its own an alert is for everybody.
        ...names.map((name) => ({ receiver: name, matchers: [`notify=~"|.*,${name},.*"`], continue: true })),
      ],
    },
    receivers: [
      { name: nobody },
      ...names.flatMap((name) => {
        const signedAs = toSigner(name, notify[name])
        return [name, testReceiverName(name)].map((called) => receiver(called, notify[name], signedAs))
      }),
    ],
  }
  return `${JSON.stringify(configuration, null, 1)}\n`
}

function receiver(name: string, spec: ReceiverSpec = {}, signedAs?: Door) {
  const { mail, webhook, slack, pagerduty } = spec
  const common = { send_resolved: true }
  if (mail)
    return {
      name,
      email_configs: [
        {
          ...common,
          to: [mail.to].flat().join(', '),
          from: mail.from,
          smarthost: mail.server,
          require_tls: mail.tls,
          headers: { Subject: subject },
          html: '',
          text: body,
          ...(mail.user !== undefined && { auth_username: mail.user }),
          ...(mail.password !== undefined && { auth_password: mail.password }),
        },
      ],
    }
  if (webhook) {
    const { url, token } = signedAs ?? webhook
    const http = token === undefined ? {} : { http_config: { authorization: { credentials: token } } }
    return { name, webhook_configs: [{ ...common, url, ...http }] }
  }
  if (slack) {
    const channel = slack.channel === undefined ? {} : { channel: slack.channel }
    return { name, slack_configs: [{ ...common, api_url: slack.url, title: subject, text: body, ...channel }] }
  }
  if (pagerduty)
    return {
      name,
      pagerduty_configs: [{ ...common, routing_key: pagerduty.key, url: pagerduty.url, description: subject }],
    }
  return { name }
}
