import { Cron } from 'croner'

export interface Schedule {
  cron: string
  zone: string
  /** Milliseconds. */
  for: number
}

/** What is wrong with a cron expression of five fields; undefined: nothing. */
export function cronProblem(text: string): string | undefined {
  if (text.trim().split(/\s+/).length !== 5) return 'must have five fields, such as 0 8 * * 1-5'
  try {
    new Cron(text, { paused: true })
    return undefined
  } catch (error) {
    return `is no cron expression: ${(error as Error).message.replace(/^\w+: /, '')}`
  }
}

/** What is wrong with the name of a time zone; undefined: nothing. */
export function zoneProblem(text: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return undefined
  } catch {
    return `there is no time zone ${text}; they are such as Europe/Berlin`
  }
}

const crons = new Map<string, Cron>()

/** Whether a schedule holds at a moment: it began no longer ago than it lasts. */
export function holds({ cron, zone, for: lasts }: Schedule, now: number): boolean {
  const key = `${cron} ${zone}`
  const known = crons.get(key) ?? new Cron(cron, { timezone: zone, paused: true })
  crons.set(key, known)
  const begins = known.nextRun(new Date(now - lasts))
  return begins !== null && begins.getTime() <= now
}
