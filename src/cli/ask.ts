import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/**
 * Asks the terminal for a line; undefined after Ctrl-C or Ctrl-D, which are no answer. `hidden`: what is typed is not shown. The
 * question goes to standard error, so that standard output holds answers alone.
 */
export async function ask(question: string, { hidden = false } = {}): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: hidden ? nowhere : process.stderr, terminal: true })
  if (hidden) process.stderr.write(question)
  const answer = await new Promise<string | undefined>((resolve) => {
    terminal.on('close', () => resolve(undefined))
    terminal.question(hidden ? '' : question).then(resolve, () => resolve(undefined))
  })
  terminal.close()
  if (hidden || answer === undefined) process.stderr.write('\n')
  return answer
}
