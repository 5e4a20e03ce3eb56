import { expect, test } from 'vitest'
import type { Phase } from '../../../src/model/recipe.ts'
import { compile } from '../../../src/recipes/compile.ts'
import type { Recipe } from '../../../src/recipes/recipe.ts'
import { context, recipe } from './fixture.ts'

const own = recipe(`resources:
  - { file: /etc/before.conf, content: x, phase: install }
  - package: database
  - { command: make-cluster, name: make the cluster, creates: /srv/cluster, phase: install }
  - { directory: /etc/shared }
  - { service: database, state: running, enabled: true }`)

const extra = recipe(`parameters: { port: { type: integer, default: 9100 } }
resources:
  - { file: /etc/exporter.conf, content: "loopback\\n", phase: install }
  - package: exporter
  - { directory: /etc/shared }
  - { file: /etc/exporter.yaml, content: "port {{parameters.port}}\\n", notify: { restart: exporter } }
  - { service: exporter, state: running, enabled: true }`)

const resourcesOf = (phase: Phase, ...extras: [string, Recipe][]) =>
  compile(
    own,
    phase,
    context(),
    { mode: 'apply', secrets: [] },
    extras.map(([name, source]) => ({ name, recipe: source, context: context({ parameters: { port: 9200 } }) })),
  )

test('one program does both: packages of all together, each recipe in its order, the extra under its name', () => {
  const { resources, text } = resourcesOf('install', ['exporter', extra])
  expect(resources.map(({ resource }) => resource)).toEqual([
    'file:/etc/before.conf',
    'exporter/file:/var/lib/kitbag/extras/exporter',
    'exporter/file:/etc/exporter.conf',
    'package:database',
    'exporter/package:exporter',
    'command:make the cluster',
  ])
  expect(text.match(/^kb_install$/gm)).toHaveLength(1)
})

test('is rendered with its own parameters, and says once what both say alike', () => {
  const { resources, text } = resourcesOf('configure', ['exporter', extra])
  expect(text).toContain('port 9200')
  const names = resources.map(({ resource }) => resource)
  expect(names.slice(0, 2)).toEqual(['directory:/etc/shared', 'service:database'])
  expect(names).not.toContain('exporter/directory:/etc/shared')
  expect(names.slice(-3)).toEqual([
    'exporter/file:/etc/exporter.yaml',
    'exporter/service:exporter',
    'restart:exporter.service',
  ])
})

test('what two want differently is refused, with the name of the one that came second', () => {
  const other = recipe('resources: [{ file: /etc/exporter.yaml, content: other }]')
  expect(() => resourcesOf('configure', ['exporter', extra], ['rival', other])).toThrow(
    /extra rival: file:\/etc\/exporter\.yaml is there already/,
  )
})
