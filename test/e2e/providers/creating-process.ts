import { readFileSync } from 'node:fs'
import { driver } from '../../../src/providers/local/driver.ts'

// Run as a process of its own, to be killed: creates the machine that the file named by its argument describes.
const { environment, request, identity } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const provider = await driver.connect(
  { name: 'home', settings: {}, credentials: {} },
  { ...environment, log: () => {} },
)
process.stdout.write('creating\n')
await provider.createMachine(request, identity)
process.stdout.write('created\n')
