import { pathToFileURL } from 'node:url'

type IsSigned = (header: string | undefined, body: string, secret: string, now?: number) => boolean

/** The example that docs/monitoring.md shows. */
export const isSignedFile = 'examples/monitoring/is-signed.js'

/** What a user's receiver would do. */
export const { isSigned } = (await import(pathToFileURL(isSignedFile).href)) as { isSigned: IsSigned }
