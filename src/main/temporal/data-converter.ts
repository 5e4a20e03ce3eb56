import { join } from 'node:path'
import type { DataConverter } from '@temporalio/common'
import { packageRoot } from '../../lib/package-root.ts'
import { createPayloadCodec } from './codec.ts'

/** Where the failure converter lies; the workflow bundle is built with it too. */
export function failureConverterPath(): string {
  return join(packageRoot(), 'src/main/temporal/failure-converter.cjs')
}

/** The one that clients and workers use: payloads and failures sealed. */
export function createDataConverter(masterKey: Buffer): DataConverter {
  return { payloadCodecs: [createPayloadCodec(masterKey)], failureConverterPath: failureConverterPath() }
}
