import type { ControlContext } from './control.ts'

/** One figure of a component, as a running service knows it. */
export interface Sample {
  component: string
  metric: string
  value: number
  /** Which node of the service says so. */
  source: string
}

/** Figures that a running service knows of the components that it serves. */
export interface ToolkitMetrics<Spec = unknown> {
  /** Component -> names. Pure. */
  offers(spec: Spec): Record<string, string[]>
  /** As they are now, from every node that answers. Rejects when none does. */
  read(context: ControlContext<Spec>): Promise<Sample[]>
}

/** What a deployment's page shows of a service. */
export interface ServiceView {
  charts: {
    title: string
    /** `seconds`, `ratio`, `requests per second`. */
    unit: string
    /** Times in milliseconds since 1970; null where there is no value. */
    lines: { label: string; points: { at: number; value: number | null }[] }[]
  }[]
  alerts: { alert: string; state: string; severity: string; component: string; machine: string; summary: string }[]
}

/** What a service has measured over time, asked in PromQL. */
export interface ToolkitQueries<Spec = unknown> {
  /** What is wrong with an expression; undefined: nothing. Pure. */
  fault(expression: string): string | undefined
  /** The expression of a component's figure by its stable word (`latency-p95`); undefined: there is no such word. Pure. */
  expressionOf(word: string, component: string): string | undefined
  /** Its value now; undefined: no series answers. Rejects when the service does not answer. */
  latest(context: ControlContext<Spec>, expression: string): Promise<{ at: number; value: number } | undefined>
}

/** One part of a service and how it is. */
export interface HealthFinding {
  /** A machine, a backend, a certificate ... */
  subject: string
  status: HealthStatus
  /** One sentence: what was seen. */
  message: string
}

/** `degraded`: it serves, and something is not as it should be; `down`: it does not do its work. */
export type HealthStatus = 'healthy' | 'degraded' | 'down'
