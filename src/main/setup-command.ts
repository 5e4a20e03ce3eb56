import { cacheFolder, homeFolder } from './paths.ts'
import { setUp } from './setup.ts'

/** `kitbag setup`: progress on standard error; local machines are left out where this user cannot have them. */
export async function setupCommand(images: string[]): Promise<void> {
  await setUp({
    home: homeFolder(),
    cache: cacheFolder(),
    images,
    onProgress: (step, detail) => process.stderr.write(`setup  ${step}: ${detail}\n`),
    localMachines: 'if-possible',
  })
}
