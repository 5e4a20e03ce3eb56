import type { Overrides } from '../contract.ts'
import { defaultWeight, overrideKey } from './configuration.ts'
import type { LoadBalancerSpec } from './schema.ts'
import { backendsOf } from './targets.ts'

/** Largest weight that HAProxy has. */
const mostWeight = 256

/** Weights with which the chosen ones of a component's machines get a share (percent) of its requests, in every backend that sends to it. */
export function share(input: {
  spec: LoadBalancerSpec
  component: string
  machines: string[]
  chosen: string[]
  share: number
}): Overrides {
  const { spec, component, machines, chosen, share: percent } = input
  const others = machines.filter((name) => !chosen.includes(name))
  // How much heavier a chosen one is than another.
  const ratio = (percent * others.length) / ((100 - percent) * chosen.length)
  const fits = defaultWeight * ratio <= mostWeight
  const own = fits ? Math.max(1, Math.round(defaultWeight * ratio)) : mostWeight
  const theirs = fits ? defaultWeight : Math.max(1, Math.round(mostWeight / ratio))
  const weights = [
    ...chosen.map((name) => [name, own] as const),
    ...(theirs === defaultWeight ? [] : others.map((name) => [name, theirs] as const)),
  ]
  const backends = [...backendsOf(spec).values()].filter(({ to }) => to === component)
  return Object.fromEntries(
    backends.flatMap(({ backend }) => weights.map(([name, weight]) => [overrideKey(backend, name), { weight }])),
  )
}
