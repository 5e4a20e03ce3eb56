import * as countries from './routes/countries.ts'
import * as files from './routes/files.ts'
import type { Route } from './routes/read.ts'
import * as records from './routes/records.ts'
import * as zones from './routes/zones.ts'

/** What the service's API offers, in the order in which the command line lists it. */
export const routes: Route[] = [
  zones.list,
  zones.set,
  zones.remove,
  records.list,
  records.set,
  records.remove,
  files.read,
  files.take,
  countries.show,
  countries.set,
  countries.remove,
]
