import { parser } from '@prometheus-io/lezer-promql'

/** Where an expression is no PromQL: `at` counts characters from 1. undefined: it is. Units and types are Prometheus' own business. */
export function promqlFault(expression: string): { at: number; near: string } | undefined {
  let fault: { at: number; near: string } | undefined
  parser.parse(expression).iterate({
    enter({ type, from }) {
      if (type.isError && !fault) fault = { at: from + 1, near: expression.slice(from, from + 20) }
      return fault === undefined
    },
  })
  return fault
}
