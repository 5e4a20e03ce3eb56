/** Where uploaded blobs lie on a machine. */
export const blobFolder = '/var/cache/kitbag/blobs'

/** Where a text that is too large for the program waits until it is put in its place. */
export function largeTextPath(digest: string): string {
  return `${blobFolder}/${digest}.text`
}
