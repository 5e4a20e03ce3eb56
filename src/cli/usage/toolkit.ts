import type { Command } from 'commander'
import { define, repeatable, waits } from '../define.ts'

export function addToolkitCommands(program: Command): void {
  const lb = define(program, {
    usage: 'lb [words...]',
    summary: 'look at and change a load balancer while it runs; alone it lists its words',
    examples: [
      'lb                                  # every word and what it takes',
      'lb stats shop',
      'lb drain shop web web-1',
      'lb ready shop web web-1',
      'lb set shop web web-1 --set weight=50',
    ],
    load: async () => {
      const { toolkitCommand } = await import('../commands/toolkit.ts')
      return (words: string[], options: object) => toolkitCommand('lb', words, options)
    },
  })
  repeatable(waits(lb), '--set <name=value>', 'a field to change: weight=50').option(
    '--service <name>',
    'which one, where there are several',
  )
}
