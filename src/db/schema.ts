/** Every table, by what it is about. */
export * from './schema/blobs.ts'
export * from './schema/certificates.ts'
export * from './schema/control-plane.ts'
export * from './schema/deployments.ts'
export * from './schema/operations.ts'
export * from './schema/run-time.ts'
export * from './schema/tenants.ts'
