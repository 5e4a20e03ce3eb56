import { join } from 'node:path'
import { root } from '../../demo/paths.ts'
import type { MachineAccess } from '../../src/model/machine.ts'
import type { RecipeContext } from '../../src/model/recipe.ts'
import { compile } from '../../src/recipes/compile.ts'
import { loadRecipe } from '../../src/recipes/load.ts'
import type { Recipe } from '../../src/recipes/recipe.ts'
import { readFolder } from '../../src/recipes/shipped.ts'
import { runProgram } from '../../src/shell/run-program.ts'
import { resources18Floor } from '../floors/resources18.ts'
import type { Bench, Family } from '../support/bench.ts'
import { createFleet, type Fleet, runScript, smallMachine } from '../support/fleet.ts'
import { interleaved, seconds } from '../support/measure.ts'
import type { Measured } from '../support/row.ts'

const names = ['lab-1', 'lab-2', 'lab-3', 'lab-4']

/** Re-checks of some hundredths of a second each: many, so that the median is worth something. */
const recheckRounds = 40
const firstRounds = 5

/** The three services run as soon as their packages are installed. */
const changedAtFirst = 15

function contextOf({ name, address, user }: MachineAccess): RecipeContext {
  return {
    installation: 'bench',
    deployment: 'resources18',
    component: 'lab',
    machine: { name, address, user, cpu: smallMachine.cpu, memory: smallMachine.memory },
    parameters: {},
    env: {},
    release: { number: 1 },
    consumers: [],
    peers: [],
  }
}

/** Compiles every phase of the recipe and runs it, as the activities do. Returns how many resources differed. */
async function runRecipe(fleet: Fleet, machine: MachineAccess, recipe: Recipe, mode: 'apply' | 'check') {
  let changed = 0
  for (const phase of recipe.signature.phases) {
    const program = compile(recipe, phase, contextOf(machine), { mode, secrets: [] })
    changed += (await runProgram(fleet.reach, machine, program, { blobs: async function* () {} })).changed
  }
  return changed
}

async function onAll(machines: MachineAccess[], work: (machine: MachineAccess) => Promise<void>): Promise<number> {
  return seconds(() => Promise.all(machines.map(work)))
}

function expectChanged(machine: MachineAccess, changed: number, expected: number): void {
  if (changed !== expected) throw new Error(`${machine.name}: ${changed} resources differed, not ${expected}`)
}

async function run(bench: Bench): Promise<Measured[]> {
  const fleet = await createFleet(bench)
  const recipe = loadRecipe('./recipes/resources18', await readFolder(join(root, 'bench/recipes/resources18')))
  const script = resources18Floor()

  const floor = (expected: number) => async (machine: MachineAccess) => {
    const said = await runScript(fleet.reach, machine, script)
    expectChanged(machine, Number(/^changed (\d+)$/m.exec(said)?.[1]), expected)
  }
  // The folder of the files is a resource of the recipe, and nothing that the floor counts.
  const kitbag = (mode: 'apply' | 'check', expected: number) => async (machine: MachineAccess) =>
    expectChanged(machine, await runRecipe(fleet, machine, recipe, mode), expected)

  const fresh = async () => {
    const machines = await Promise.all(names.map((name) => fleet.boot(name)))
    await Promise.all(machines.map((machine) => runScript(fleet.reach, machine, 'apt-get update -qq')))
    return machines
  }
  const onFresh = async (work: (machine: MachineAccess) => Promise<void>) => {
    const machines = await fresh()
    const taken = await onAll(machines, work)
    await fleet.destroy(machines)
    return taken
  }
  const first = await interleaved(firstRounds, {
    floor: () => onFresh(floor(changedAtFirst)),
    kitbag: () => onFresh(kitbag('apply', changedAtFirst + 1)),
  })

  const machines = await fresh()
  await onAll(machines, floor(changedAtFirst))
  const again = await interleaved(recheckRounds, {
    floor: () => onAll(machines, floor(0)),
    kitbag: () => onAll(machines, kitbag('check', 0)),
  })
  return [
    {
      value: again.kitbag / again.floor,
      detail: `${(again.kitbag * 1000).toFixed(1)} ms against ${(again.floor * 1000).toFixed(1)} ms, ${recheckRounds} pairs`,
    },
    {
      value: first.kitbag / first.floor,
      detail: `${first.kitbag.toFixed(2)} s against ${first.floor.toFixed(2)} s, ${firstRounds} pairs`,
    },
  ]
}

export const resources18: Family = {
  name: 'resources18',
  rows: [
    {
      name: 'recheck',
      what: 're-check of 18 resources on 4 machines, host program over open connections, against the floor',
      unit: 'x',
      bar: { atMost: 1.3 },
    },
    {
      name: 'first-convergence',
      what: 'first convergence of the 18 on 4 fresh machines, over open connections, against the floor',
      unit: 'x',
      bar: { atMost: 1.1 },
    },
  ],
  run,
}
