import { readFile } from 'node:fs/promises'
import { KitbagError } from '../model/errors.ts'

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
}

/** A file that the user named; `-` is the standard input. Throws `invalid-request` with the reason when it cannot be read. */
export async function readBytes(file: string): Promise<Buffer> {
  return readFile(file === '-' ? '/dev/stdin' : file).catch((cause: NodeJS.ErrnoException) => {
    const reason = reasons[cause.code ?? ''] ?? cause.message
    throw new KitbagError('invalid-request', `${file} cannot be read: ${reason}`, { cause })
  })
}

/** The same as text. Throws `invalid-request` also when it is not UTF-8. */
export async function readTextFile(file: string): Promise<string> {
  const bytes = await readBytes(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new KitbagError('invalid-request', `${file}: it is not UTF-8`, { cause })
  }
}
