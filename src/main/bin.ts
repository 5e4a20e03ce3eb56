import { createProgram } from '../cli/program.ts'
import { addServerCommands } from './server-commands.ts'

const program = createProgram()
addServerCommands(program)
await program.parseAsync()
