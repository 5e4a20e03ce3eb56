import { type ChangeContext, endUnit } from './change-context.ts'
import { unitId } from './units.ts'

/**
 * What several components on one machine owe each other: they install one after the other, since the machine does one thing at a time
 * anyway, and the machine goes when all of them have left it.
 */
export function orderSharers(context: ChangeContext): void {
  const { input, fates, units } = context
  const last = new Map<string, string>()
  const install = (machine: string, name: string) => {
    const id = unitId('install', name)
    if (!units.has(id)) return
    const before = last.get(machine)
    if (before !== undefined) units.need(id, [before])
    last.set(machine, id)
  }
  const nameOf = new Map(input.machines.map(({ id, name }) => [id, name]))
  const owners = [...fates.values()].filter(({ component }) => component.placement.with === undefined)
  for (const { stay, create } of owners) for (const { name } of [...stay, ...create]) install(name, name)
  const guests = [...fates.values()].filter(({ component }) => component.placement.with !== undefined)
  for (const { stay, create } of guests) {
    for (const { name, hostId } of stay) install(nameOf.get(hostId ?? '') ?? '', name)
    for (const { name, on = '' } of create) install(on, name)
  }
  for (const { name, hostId } of input.machines)
    if (hostId !== undefined) units.need(endUnit(context, nameOf.get(hostId) ?? ''), [endUnit(context, name)])
}
