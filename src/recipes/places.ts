/** Where machines that use a component over TLS have the certificate of the deployment's own authority. */
export const authorityFile = '/etc/kitbag/authority.pem'

/** Where a machine has, by component, the list of files that hold certificates. */
export const certificatesFolder = '/var/lib/kitbag/certificates'

/** Where uploaded blobs lie on a machine. */
export const blobFolder = '/var/cache/kitbag/blobs'

/** Where a text that is too large for the program waits until it is put in its place. */
export function largeTextPath(digest: string): string {
  return `${blobFolder}/${digest}.text`
}
