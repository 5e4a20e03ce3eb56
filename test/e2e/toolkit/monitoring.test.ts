import { describe } from 'vitest'
import { alerting } from './monitoring/alerts.ts'
import { figures } from './monitoring/figures.ts'
import { readyAlerts } from './monitoring/ready.ts'
import { traces } from './monitoring/traces.ts'
import { trouble } from './monitoring/trouble.ts'
import { watchedDeployment } from './monitoring/watched.ts'

const skip = process.platform !== 'linux' || process.getuid?.() !== 0

describe.skipIf(skip).each(['debian-13', 'debian-12'])('monitoring on %s', (image) => {
  const watched = watchedDeployment(image)
  figures(watched)
  alerting(watched)
  if (image === 'debian-13') readyAlerts(watched)
  trouble(watched)
  traces(watched)
})
