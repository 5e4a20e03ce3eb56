import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import type { Client } from '../../../src/api/client.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { argumentsOf, toolkitCommands } from '../../../src/cli/toolkit-commands.ts'
import { addServerCommands } from '../../../src/main/server-commands.ts'

const program = createProgram()
addServerCommands(program)
const openapi = { json: async () => JSON.parse(readFileSync('docs/openapi.json', 'utf8')) } as unknown as Client
const filesIn = (folder: string, end: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name))

interface Told {
  file: string
  /** Words after `kitbag`. */
  words: string[]
  /** To be typed as it stands, so all that it takes is there. */
  whole: boolean
}

/** Words of a shell line up to what ends the command; quotes hold words together. */
function wordsOf(line: string): string[] {
  const [command = ''] = line.split(/\s#|\s[|>&]/)
  return [...command.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replace(/['"]/g, ''))
}

/** Every command that pages for people tell: lines of shell, and names in the text. */
function toldByPages(): Told[] {
  return ['README.md', 'CONTRIBUTING.md', ...filesIn('docs', '.md')].flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    const lines = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
      block.replaceAll('\\\n', ' ').split('\n'),
    )
    const typed = lines.flatMap((line) => line.match(/(?:^|\| |bin\/)kitbag (.*)/)?.[1] ?? [])
    const named = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`kitbag ([^`]+)`/g)].map(([, name = '']) => name)
    return [
      ...typed.map((line) => ({ file, words: wordsOf(line), whole: true })),
      ...named.map((line) => ({ file, words: wordsOf(line), whole: false })),
    ]
  })
}

/** Every command that messages, help and descriptions of fields tell. */
function toldByCode(): Told[] {
  return filesIn('src', '.ts').flatMap((file) => {
    const text = readFileSync(file, 'utf8').replace(/\$\{[^}]*\}/g, 'X')
    return [...text.matchAll(/\bkitbag (?=[a-z-])([^`'"\n;:,()\\]*)/g)].map(([, line = '']) => ({
      file,
      words: wordsOf(line).map((word) => word.replace(/\.$/, '')),
      whole: false,
    }))
  })
}

/** What is said of Kitbag and is no command. */
const prose = ['is', 'as', 'dnssec', 'alertmanager']

/** What is wrong with it; undefined: nothing. */
async function fault({ words: [first = '', ...rest], whole }: Told): Promise<string | undefined> {
  if (first === first.toUpperCase() || first.startsWith('-') || prose.includes(first)) return undefined
  let command: Command | undefined = program.commands.find((one) => one.name() === first)
  if (!command) return `there is no command ${first}`
  const below: Command | undefined = command.commands.find((one) => one.name() === rest[0])
  const [only] = command.registeredArguments
  const isToolkit: boolean = !below && only?.name() === 'words'
  if (below) rest.shift()
  else if (command.commands.length > 0 && !isToolkit && rest.length > 0) return `${first} has no command ${rest[0]}`
  command = below ?? command
  const values: string[] = []
  const sets: string[] = []
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!/^-+[a-z]/.test(word)) values.push(word)
    else {
      const option = command.options.find(({ short, long }) => word === short || word === long)
      if (!option) return `${command.name()} has no option ${word}`
      const value = option.required ? rest.shift() : undefined
      if (word === '--set' && value !== undefined) sets.push(value.split('=')[0] ?? '')
    }
  }
  if (isToolkit) return toolkitFault(command.name(), values, { sets, whole })
  const least = command.registeredArguments.filter(({ required }) => required).length
  const isEndless = command.registeredArguments.some(({ variadic }) => variadic)
  const most = isEndless ? Number.POSITIVE_INFINITY : command.registeredArguments.length
  if (whole && (values.length < least || values.length > most)) return `${command.name()} takes other words`
  return undefined
}

async function toolkitFault(
  command: string,
  [word, ...values]: string[],
  { sets, whole }: { sets: string[]; whole: boolean },
): Promise<string | undefined> {
  if (word === undefined) return undefined
  const known = (await toolkitCommands(openapi, command)).find(({ name }) => name === word)
  if (!known) return `${command} has no word ${word}`
  const unknown = sets.find((field) => !Object.hasOwn(known.fields, field))
  if (unknown !== undefined) return `${command} ${word} has no field ${unknown}`
  return whole && values.length !== 1 + argumentsOf(known).length ? `${command} ${word} takes other words` : undefined
}

async function faults(told: Told[]): Promise<string[]> {
  const found = await Promise.all(told.map(async (one) => ({ ...one, wrong: await fault(one) })))
  return found.flatMap(({ file, words, wrong }) => (wrong ? [`${file}: kitbag ${words.join(' ')}: ${wrong}`] : []))
}

test('every command in the docs is there, with its words and options', async () => {
  const told = toldByPages()
  expect(told.length).toBeGreaterThan(150)
  expect(await faults(told)).toEqual([])
})

test('every command that a message or a help text names is there, with its options', async () => {
  const told = toldByCode()
  expect(told.length).toBeGreaterThan(50)
  expect(await faults(told)).toEqual([])
})

test('docs/cli.md names every command', () => {
  const text = readFileSync('docs/cli.md', 'utf8')
  const known = new Set([...text.matchAll(/`([^`]*)`/g)].flatMap(([, code = '']) => code.match(/[a-z-]+/g) ?? []))
  const names = program.commands.flatMap((one) => [one.name(), ...one.commands.map((below) => below.name())])
  expect(names.filter((name) => !known.has(name))).toEqual([])
})
