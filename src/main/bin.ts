import { createProgram } from '../cli/program.ts'
import { addServerCommands } from './server-commands.ts'

// The reader of our output may go first (`kitbag list | head -1`).
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
}

const program = createProgram()
addServerCommands(program)
await program.parseAsync()
