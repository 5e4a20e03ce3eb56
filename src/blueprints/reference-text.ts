/** What docs/blueprint.md says in words. The tables of fields come from the schema. */
export const proseBefore = `
# Blueprint reference

<!-- Written by \`npm run schema\` from the schemas that validate. Change src/blueprints, not this file. -->

A blueprint is one YAML file in your repository. It says what an application consists of and which services stand beside it. Editors
check it while you write, given its [JSON Schema](../schema/blueprint.schema.json) (\`kitbag schema\` prints it):

\`\`\`yaml
# yaml-language-server: $schema=../schema/blueprint.schema.json
\`\`\`

\`kitbag validate FILE\` tells everything that is wrong with it at once, each with its line and column.
`

export const exampleText = `
apiVersion: kitbag/v1
name: shop                           # the deployment's name, unless --name says another

parameters:                          # what differs between deployments: --set domain=shop.example
  domain:   { type: string, format: hostname }
  replicas: { type: integer, minimum: 1, maximum: 20, default: 2 }

components:
  web:                               # an application: source, runtime, start
    source: ./app                    # a folder beside this file; .gitignore and .kitbagignore count
    runtime: nodejs                  # a shipped recipe, or a folder of your own: ./recipes/x
    migrate: node migrate.js         # once per release, before it takes traffic
    start: node server.js
    port: 8080                       # also in its environment, as PORT
    replicas: \${parameters.replicas}
    machine: { cpu: 1, memory: 512MiB, image: debian-13 }
    env:
      DATABASE_URL: \${db.url}        # an output of another component: known when that is there
      MAIL_KEY: \${secrets.MAIL_KEY}  # given once: kitbag secret set shop MAIL_KEY
      PUBLIC_URL: https://\${parameters.domain}/
      PRICE: "$\${amount}"            # $\${ stands for \${ itself
    health: { http: /healthz, interval: 2s }
    update: { maxUnavailable: 1, drain: 10s }
  db:                                # no application: a recipe and its settings
    recipe: postgresql
    settings: { database: shop }     # the password is made, once, and never shown
    machine: { cpu: 1, memory: 1GiB }

toolkit:
  loadBalancer:                      # or a list, each with a name
    listeners:
      - { port: 80, protocol: http, to: web }

placement: { cloud: home }           # default for all; per component too
`

export const proseAfter = `
## Values

**Expressions.** \`\${...}\` stands wherever a value does. It is read after YAML and never spliced into it: what it brings in stays a value.
\`\${parameters.replicas}\` alone keeps its type; inside other text it becomes text. Inside the braces are names joined by dots and nothing
else. For the characters themselves write \`$\${\`.

| expression | value | where |
|---|---|---|
| \`\${parameters.NAME}\` | a parameter | everywhere but under \`parameters\` |
| \`\${secrets.NAME}\` | a secret that you give: \`kitbag secret set DEPLOYMENT NAME\` | \`env\`, \`settings\` |
| \`\${COMPONENT.OUTPUT}\` | an output of a component or service | \`env\`, \`settings\` |

**Outputs.** Every component and service has \`host\` (address of its first machine), \`port\`, \`url\`, \`addresses\` (a list) and
\`machines\` (a list of \`{ name, address, port }\`); recipes declare more, as \`postgresql\` does with \`database\`, \`user\` and \`password\`.
A component that refers to another is configured after that one is healthy, and again when it changes. Two may refer to each other.

**Units.** Amounts are written \`512MiB\`, \`1GiB\`, \`20GB\`; durations \`500ms\`, \`2s\`, \`1m\`, \`1h\`.

**Environment.** Variables are text. Numbers and booleans become text, lists and maps become JSON. What YAML would change on the way
(\`1.10\`, \`0x10\`, \`True\`) is refused: write it in quotes. NUL is refused, everything else arrives byte for byte.

**Secrets.** A recipe's secret that you leave out is made once and stays the same over releases. One that you give is
\`\${secrets.NAME}\`; a secret written into the file is refused.

**Names** of components and services share one namespace. \`parameters\`, \`secrets\`, \`overrides\`, \`placement\`, \`scale\` and the names of
toolkit services are reserved. Machines are called \`web-1\`, \`load-balancer-1\`.

**Limits.** 1 MiB, 64 levels, 20,000 values, one document, no tags. A key that stands twice is refused.

## What a change does

| changed | then |
|---|---|
| \`source\`, \`start\`, \`env\`, \`settings\`, \`port\`, the recipe | machine by machine: out of traffic, configured, healthy, back (\`update\`) |
| \`machine\`, \`placement\` | new machines take the place of the old ones, which go when the new ones serve |
| \`replicas\` | machines are added, or those with the highest numbers removed |
| \`migrate\` or \`source\`, with \`migrate\` given | the command runs once, on one machine, before any machine is changed |
| a component left out | its machines are removed |

A machine that holds data (a recipe with \`stateful: true\`) is only replaced or removed with \`--allow-data-loss COMPONENT\`.

## Fields
`
