import type { Command } from 'commander'
import { define, waits } from '../define.ts'

const load = () => import('../commands/operations.ts')

export function addOperationCommands(program: Command): void {
  define(program, {
    usage: 'operations [deployment|id]',
    summary: 'list operations, or show one with its units and what went wrong',
    examples: ['operations', 'operations shop', 'operations op_3n9yifkpkknei4w4y7tg'],
    load: async () => (await load()).operations,
  })
  waits(
    define(program, {
      usage: 'cancel <operation>',
      summary: 'cancel an operation; what it did is undone',
      examples: ['cancel op_3n9yifkpkknei4w4y7tg'],
      load: async () => (await load()).cancel,
    }),
  )
}
