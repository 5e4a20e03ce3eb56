import type { ToolkitRegistry } from '../toolkit/contract.ts'
import { createApi } from './create-api.ts'
import type { ApiDeps } from './deps.ts'
import { openApiDocument } from './http/openapi-document.ts'

/** The API's OpenAPI document without a control plane behind it: its routes are mounted and none is called. */
export function describeApi(toolkit: ToolkitRegistry, version: string) {
  const deps = { toolkit, version } as ApiDeps
  return openApiDocument(createApi(deps), version)
}
