import { describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import { loadRecipe } from '../../../src/recipes/load.ts'
import { folder } from './fixture.ts'

function problems(files: Record<string, string | Buffer>): string[] {
  try {
    loadRecipe('./recipes/x', folder(files))
    return []
  } catch (error) {
    if (!(error instanceof KitbagError)) throw error
    expect(error.code).toBe('invalid-recipe')
    return error.problems.map(
      ({ file, line, column, path, message }) => `${file}:${line}:${column} ${path}: ${message}`,
    )
  }
}

const yaml = (text: string, files: Record<string, string> = {}) => problems({ 'recipe.yaml': text, ...files })
const resource = (text: string, files: Record<string, string> = {}) => yaml(`name: x\nresources:\n  - ${text}\n`, files)

describe('a recipe that is wrong', () => {
  test.each([
    ['nothing', 'resources: []', ['recipe.yaml:1:1 name: expected string, received undefined']],
    [
      'an unknown field',
      'name: x\nresorces: []\nresources: []',
      ['recipe.yaml:2:1 resorces: "resorces" is not known here; did you mean "resources"?'],
    ],
    [
      'a bad name',
      'name: X y\nresources: []',
      ['recipe.yaml:1:7 name: lower-case letters, digits and hyphens, beginning with a letter'],
    ],
    ['a key twice', 'name: x\nname: y', ['recipe.yaml:2:1 : Map keys must be unique']],
    [
      'a key of the prototype',
      'name: x\n__proto__: {}\nresources: []',
      ['recipe.yaml:2:1 : the key "__proto__" is not allowed'],
    ],
    [
      'a bomb of aliases',
      `name: x\na: &a [${'x,'.repeat(9)}x]\nb: &b [${'*a,'.repeat(9)}*a]\nc: &c [${'*b,'.repeat(9)}*b]\nd: [${'*c,'.repeat(9)}*c]`,
      [expect.stringContaining('Excessive alias count')],
    ],
    [
      '20,000 levels',
      `name: x\nresources: ${'['.repeat(20_000)}`,
      ['recipe.yaml:1:1 : is nested deeper than 64 levels'],
    ],
    [
      '20,000 levels of blocks',
      `name: x\n${'- '.repeat(20_000)}x`,
      ['recipe.yaml:1:1 : is nested deeper than 64 levels'],
    ],
    ['300 KiB', `name: x\nresources: []\n# ${'x'.repeat(300_000)}`, ['recipe.yaml:1:1 : is larger than 256 KiB']],
  ])('%s', (_, text, expected) => {
    expect(yaml(text)).toEqual(expected)
  })

  test.each<[string, string, string[]]>([
    ['an unknown type', 'pakage: x', ['resources.0.pakage: "pakage" is no resource type; did you mean "package"?']],
    ['no object', 'package', ['resources.0: must be an object that begins with a resource type']],
    [
      'an unknown field',
      '{ file: /a, content: x, moode: "0644" }',
      ['resources.0.moode: "moode" is not known here; did you mean "mode"?'],
    ],
    [
      'a bad package',
      'package: "a b; rm"',
      ['resources.0.package: must be a package name, or name=version (lower-case letters, digits, + - .)'],
    ],
    [
      'a relative path',
      '{ file: a/b, content: x }',
      ['resources.0.file: must be an absolute path without a "/" at its end'],
    ],
    ['a path upwards', '{ file: /a/../b, content: x }', ['resources.0.file: must not hold "." or ".." as a part']],
    [
      'a mode as a number',
      '{ file: /a, content: x, mode: 644 }',
      ['resources.0.mode: expected string, received number'],
    ],
    [
      'a bad mode',
      '{ file: /a, content: x, mode: rw }',
      ['resources.0.mode: must be an octal mode in quotes, such as "0640"'],
    ],
    ['a file of nothing', 'file: /a', ['resources.0.file: needs one of content, template and source; found none']],
    [
      'a file of two things',
      '{ file: /a, content: x, source: y }',
      [
        'resources.0.file: needs one of content, template and source; found content and source',
        'resources.0.source: there is no file "y" in the recipe\'s folder',
      ],
    ],
    [
      'a missing template',
      '{ file: /a, template: a.hsb }',
      ['resources.0.template: there is no file "a.hsb" in the recipe\'s folder; did you mean "a.hbs"?'],
    ],
    [
      'a check without the file',
      '{ file: /a, content: x, validate: "true" }',
      ['resources.0.validate: must hold %s, the new file, as a word of its own'],
    ],
    [
      'a service of no wish',
      'service: a',
      ['resources.0.service: needs state: running or stopped, enabled: true or false, or both'],
    ],
    [
      'a command that always runs',
      '{ command: "true", name: x }',
      [
        'resources.0.command: needs creates, unless or onlyIf (or always: true), so that a second run finds nothing to do',
      ],
    ],
    ['a bad phase', '{ package: xy, phase: later }', ['resources.0.phase: must be install, migrate or configure']],
    ['a bad condition', '{ package: xy, when: "a ==" }', ['resources.0.when: a value expected, found "the end"']],
    [
      'an open expression',
      'package: "${a"',
      ['resources.0.package: "${" without its "}" (write "$${" for the text itself)'],
    ],
    [
      'an unknown name',
      'package: ${componnet}',
      ['resources.0.package: "componnet" is not known here; did you mean "component"?'],
    ],
    ['an unknown parameter', 'package: ${parameters.x}', ['resources.0.package: "parameters.x" is not known here']],
    ['an unknown function', 'package: ${upper(component)}', ['resources.0.package: there is no function "upper"']],
    [
      'a fact of other machines while installing',
      '{ package: xy, when: peers }',
      [
        'resources.0.when: "peers" may hold facts of other machines, which an install resource must not wait for; say phase: configure',
      ],
    ],
    [
      'the same in a template',
      '{ file: /a, template: peers.hbs, phase: install }',
      [
        'resources.0.template: "peers" may hold facts of other machines, which an install resource must not wait for; say phase: configure',
      ],
    ],
    [
      'a bare text',
      '{ file: /a, template: bare.hbs }',
      [
        'resources.0.template: {{component}} is a text: write it through a helper that names the format, such as {{line component}}',
      ],
    ],
    [
      'three braces',
      '{ file: /a, template: three.hbs }',
      ['resources.0.template: "{{{" writes a value with no known format: use a helper, such as {{line x}}'],
    ],
    [
      'an unknown helper',
      '{ file: /a, template: helper.hbs }',
      ['resources.0.template: "jsn" is no helper that writes a value; did you mean "json"?'],
    ],
    [
      'a partial',
      '{ file: /a, template: partial.hbs }',
      ['resources.0.template: partials and decorators are not supported in recipes'],
    ],
    [
      'a template that does not end',
      '{ file: /a, template: open.hbs }',
      [expect.stringContaining('resources.0.template: Parse error')],
    ],
    [
      'an unknown name in a template',
      '{ file: /a, content: "{{line machin.name}}" }',
      ['resources.0.content: "machin" is not known here; did you mean "machine"?'],
    ],
  ])('in a resource: %s', (_, text, expected) => {
    const templates = {
      'a.hbs': 'x',
      'peers.hbs': '{{#each peers}}{{line name}}{{/each}}',
      'bare.hbs': '{{component}}',
      'three.hbs': '{{{component}}}',
      'helper.hbs': '{{jsn component}}',
      'partial.hbs': '{{> other}}',
      'open.hbs': '{{#if port}}',
    }
    expect(resource(text, templates).map((line) => line.replace(/^\S+ /, ''))).toEqual(expected)
  })

  test('everything at once, each with its place', () => {
    const text = `name: x
parameters:
  password: { type: string, x-kitbag-secret: true, default: x }
  size: { type: integer, maximum: 3, default: 9 }
outputs:
  a: \${outputs.b}
  b: \${outputs.a}
resources:
  - package: \${parameters.sizes}
  - file: /etc/x
    content: |
      fine
      port={{port}} name={{component}}
  - file: /etc/y
    template: y.hbs
`
    expect(yaml(text, { 'y.hbs': 'one\n  {{line nobody}}\n' })).toEqual([
      'recipe.yaml:3:13 parameters.password: a secret has no default: it is generated unless given',
      'recipe.yaml:4:47 parameters.size.default: must be at most 3, found 9',
      'recipe.yaml:9:14 resources.0.package: "parameters.sizes" is not known here; did you mean "parameters.size"?',
      'recipe.yaml:13:28 resources.1.content: {{component}} is a text: write it through a helper that names the format, such as {{line component}}',
      'y.hbs:2:10 resources.2.template: "nobody" is not known here',
      'recipe.yaml:6:6 outputs.a: outputs.a refers to itself',
      'recipe.yaml:7:6 outputs.b: outputs.b refers to itself',
    ])
  })

  test('a folder without recipe.yaml, and one that is no text', () => {
    expect(() => loadRecipe('./x', {})).toThrow('recipe ./x: there is no recipe.yaml in its folder')
    expect(() => loadRecipe('./x', { 'recipe.yaml': Buffer.from([0xff, 0xfe]) })).toThrow('recipe.yaml is not UTF-8')
  })
})
