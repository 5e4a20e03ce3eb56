import { Command } from 'commander'
import { addExamples, tellErrors } from './define.ts'
import { addBlueprintCommands } from './usage/blueprints.ts'
import { addCloudCommands } from './usage/clouds.ts'
import { addDeploymentCommands } from './usage/deployments.ts'
import { addOperationCommands } from './usage/operations.ts'
import { addSecretCommands } from './usage/secrets.ts'
import { addToolkitCommands } from './usage/toolkit.ts'

const afterHelp = `
Exit codes: 0 done, 1 failed, 2 changes (plan --exit-code), 3 invalid input, 4 conflict, 5 unreachable.
KITBAG_URL and KITBAG_TOKEN name the control plane; without them it is the one of KITBAG_HOME on this box.`

/** The command line over the API. What a command needs is loaded when it is used, so that `--help` is quick. */
export function createProgram(): Command {
  const program = new Command('kitbag')
    .description('Carries your application toolkit to any cloud.')
    .enablePositionalOptions()
  tellErrors(program)
  addBlueprintCommands(program)
  addDeploymentCommands(program)
  addSecretCommands(program)
  addToolkitCommands(program)
  addOperationCommands(program)
  addCloudCommands(program)
  addExamples(program, [
    'up',
    'cloud add home --provider local',
    'deploy examples/guestbook/blueprint.yaml --cloud home',
  ])
  return program.addHelpText('after', afterHelp)
}
