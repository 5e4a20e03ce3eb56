export { operation } from './operation.ts'
export { watch } from './watch.ts'
