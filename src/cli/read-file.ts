import { readFile } from 'node:fs/promises'
import { type ErrorCode, KitbagError } from '../model/errors.ts'

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
}

/** A file that the user named; `-` is the standard input. Throws `invalid-request` with the reason when it cannot be read, `notText` when it is not UTF-8. */
export async function readTextFile(file: string, notText: ErrorCode = 'invalid-request'): Promise<string> {
  const bytes = await readFile(file === '-' ? '/dev/stdin' : file).catch((cause: NodeJS.ErrnoException) => {
    const reason = reasons[cause.code ?? ''] ?? cause.message
    throw new KitbagError('invalid-request', `${file} cannot be read: ${reason}`, { cause })
  })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new KitbagError(notText, `${file}: it is not UTF-8`, { cause })
  }
}
