import type { Command } from 'commander'
import { define, defineGroup } from '../define.ts'

const load = () => import('../commands/secrets.ts')

export function addSecretCommands(program: Command): void {
  const secret = defineGroup(program, 'secret', "set a deployment's secrets")
  define(secret, {
    usage: 'set <deployment> <name>',
    summary: 'set a secret from standard input',
    examples: ['secret set shop MAIL_KEY < key.txt', 'secret set shop MAIL_KEY --file key.txt'],
    load: async () => (await load()).setSecret,
  }).option('--file <file>', 'read it from a file')
  define(secret, {
    usage: 'list <deployment>',
    summary: 'list names and versions',
    examples: ['secret list shop'],
    load: async () => (await load()).listSecrets,
  })
  define(secret, {
    usage: 'remove <deployment> <name>',
    summary: 'remove a secret that the release in force does not use',
    examples: ['secret remove shop MAIL_KEY'],
    load: async () => (await load()).removeSecret,
  })
}
