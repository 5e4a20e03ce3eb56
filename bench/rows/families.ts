import type { Family } from '../support/bench.ts'
import { firstDeploys } from './first-deploy.ts'
import { resources18 } from './resources18.ts'

/** In the order in which they run. */
export const families: Family[] = [resources18, ...firstDeploys]
