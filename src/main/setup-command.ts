import { cacheFolder, homeFolder } from './paths.ts'
import { setUp } from './setup.ts'

/** `kitbag setup`: progress on standard error; local machines are left out where this user cannot have them. */
export async function setupCommand({ image, json }: { image: string[]; json?: boolean }): Promise<number> {
  const paths = { home: homeFolder(), cache: cacheFolder() }
  await setUp({
    ...paths,
    images: image,
    onProgress: (step, detail) => process.stderr.write(`setup  ${step}: ${detail}\n`),
    localMachines: 'if-possible',
  })
  if (json) process.stdout.write(`${JSON.stringify({ ok: true, ...paths })}\n`)
  return 0
}
