import type { Command } from 'commander'
import { define, repeatable, waits } from '../define.ts'

interface Toolkit {
  name: string
  what: string
  field: string
  examples: string[]
  /** Options that name files. */
  files?: string[]
}

/** Commands whose words the control plane's OpenAPI document describes. */
const commands: Toolkit[] = [
  {
    name: 'lb',
    what: 'a load balancer',
    field: 'weight=50',
    examples: [
      'lb                                  # every word and what it takes',
      'lb stats shop',
      'lb drain shop web web-1',
      'lb ready shop web web-1',
      'lb set shop web web-1 --set weight=50',
    ],
  },
  {
    name: 'certificates',
    what: 'certificates',
    field: 'name=value',
    files: ['certificate', 'key'],
    examples: [
      'certificates                        # every word and what it takes',
      'certificates list shop',
      'certificates ca shop > ca.pem',
      'certificates renew shop web',
      'certificates upload shop web --certificate web.pem --key web.key',
    ],
  },
  {
    name: 'dns',
    what: 'DNS',
    field: 'ttl=60s',
    examples: [
      'dns                                 # every word and what it takes',
      'dns zones shop',
      'dns records shop shop.example',
      'dns set shop shop.example www A --set value=192.0.2.1 --set ttl=60s',
      'dns import shop shop.example zone.txt',
    ],
  },
  {
    name: 'autoscaler',
    what: 'an autoscaler',
    field: 'paused=true',
    examples: [
      'autoscaler show shop',
      'autoscaler explain shop',
      'autoscaler pause shop',
      'autoscaler resume shop --service autoscaler-web',
    ],
  },
  {
    name: 'healing',
    what: 'healing',
    field: 'name=value',
    examples: ['healing show shop', 'healing events shop'],
  },
  {
    name: 'metrics',
    what: 'figures of a deployment',
    field: 'last=1h',
    examples: [
      'metrics                             # every word and what it takes',
      'metrics show shop',
      'metrics get shop latency-p95 --set component=web --set last=1h',
      "metrics query shop 'sum(rate(greetings_total[1m]))'",
      'metrics targets shop',
    ],
  },
  {
    name: 'alerts',
    what: 'alerts',
    field: 'duration=2h',
    examples: [
      'alerts                              # every word and what it takes',
      'alerts list shop',
      'alerts rules shop',
      'alerts silence shop latency --set duration=2h --set comment=maintenance',
      'alerts test shop',
    ],
  },
]

export function addToolkitCommands(program: Command): void {
  for (const { name, what, field, examples, files = [] } of commands) {
    const command = define(program, {
      usage: `${name} [words...]`,
      summary: `look at and change ${what} while it runs; alone it lists its words`,
      examples,
      load: async () => {
        const { toolkitCommand } = await import('../commands/toolkit.ts')
        return (words: string[], options: Record<string, unknown>) => toolkitCommand(name, words, options)
      },
    })
    repeatable(waits(command), '--set <name=value>', `a field to change: ${field}`).option(
      '--service <name>',
      'which one, where there are several',
    )
    for (const file of files) command.option(`--${file} <file>`, `file with the ${file}; - is standard input`)
    if (name === 'autoscaler') addReplay(command)
  }
}

/** Runs here; of a file without a control plane. */
function addReplay(autoscaler: Command): void {
  // Both have --json: after `replay` it is that one's.
  autoscaler.enablePositionalOptions()
  const command = define(autoscaler, {
    usage: 'replay [name]',
    summary: 'what a policy would have done over recorded load; several policies side by side',
    examples: [
      'autoscaler replay --policy policy.yaml --metrics load.csv',
      'autoscaler replay --policy now.yaml --policy then.yaml --metrics load.csv --price 0.02',
      'autoscaler replay shop --policy policy.yaml --last 7d',
    ],
    load: async () => (await import('../commands/replay.ts')).replayPolicies,
  })
  repeatable(command, '--policy <file>', 'an entry of toolkit.autoscaler, YAML')
    .option('--metrics <file>', 'recorded load: CSV (at,requests-per-second,...) or a JSON list')
    .option('--last <duration>', "instead: what the deployment's monitoring has recorded, such as 7d")
    .option('--size <count>', 'machines at the beginning (default: min)')
    .option('--boot <duration>', 'from a decision until a new machine serves (default: 60s)')
    .option('--price <number>', 'of a machine for an hour (default: what one of the deployment named costs now)')
}
