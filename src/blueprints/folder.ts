/** What a folder beside the blueprint looks like. */
export const folderRule = 'a folder beside the blueprint, such as ./app: no absolute path, no ".."'

/** Whether a path as written stays below the folder of the blueprint. */
export function isBeside(path: string): boolean {
  return !/^[/~\\]|\p{Cc}/u.test(path) && !path.split(/[/\\]/).includes('..')
}
