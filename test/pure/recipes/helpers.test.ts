import { describe, expect, test } from 'vitest'
import { readTemplate } from '../../../src/recipes/template.ts'
import { program, recipe } from './fixture.ts'

const render = (template: string, view: unknown) => readTemplate(template, 'x.hbs').render(view)

describe('helpers write a value so that its format reads it back', () => {
  const nasty = `a "b" 'c' \\ $d %e \`f\` é🎒`
  test.each([
    ['sh', nasty, `'a "b" '\\''c'\\'' \\ $d %e \`f\` é🎒'`],
    ['sh', 'two\nlines', "'two\nlines'"],
    ['json', { a: [1, 'x"y'] }, '{"a":[1,"x\\"y"]}'],
    ['systemd', nasty, `"a \\"b\\" 'c' \\\\ $d %%e \`f\` é🎒"`],
    ['systemd', 'two\nlines\t\u001b', '"two\\nlines\\t\\x1b"'],
    ['systemdExec', '$HOME', '"$$HOME"'],
    ['systemdText', '100% of it', '100%% of it'],
    ['env', nasty, `"a \\"b\\" 'c' \\\\ \\$d %e \\\`f\\\` é🎒"`],
    ['pg', "it's", "'it''s'"],
    ['pg', "it's \\n", " E'it''s \\\\n'"],
    ['pgIdent', 'a"b', '"a""b"'],
    ['pgConf', "it's", "'it''s'"],
    ['conf', '10.0.0.5/32', '10.0.0.5/32'],
    ['haproxy', '10.0.0.5:80', '10.0.0.5:80'],
    ['haproxy', "it's # not", "'it'\\''s # not'"],
    ['haproxy', '', "''"],
    ['line', nasty, nasty],
    ['line', 5, '5'],
    ['envName', 'A_1', 'A_1'],
  ])('%s %j', (helper, value, expected) => {
    expect(render(`{{${helper} v}}`, { v: value })).toBe(expected)
  })

  test.each([
    ['line', 'a\nb', 'x.hbs:2:3: {{line v}}: holds a newline, which a line of this file cannot hold'],
    ['line', 'a\rb', 'holds a carriage return'],
    ['line', 'a\u0085b', 'holds the control character U+0085'],
    ['line', ['a'], 'a text, number or boolean is needed, found a list'],
    ['line', null, 'found nothing'],
    ['envName', 'A-B', '"A-B" is no name of an environment variable'],
    ['conf', '', 'is more than one plain word'],
    ['sh', 'a\0', 'holds the character NUL'],
  ])('%s refuses %j', (helper, value, message) => {
    expect(() => render(`first\n  {{${helper} v}}`, { v: value })).toThrow(message)
  })

  test('conditions and arguments', () => {
    const view = { a: 1, b: 'x', list: ['p', 'q'], empty: [], none: null, six: 'fd00::1' }
    expect(render('{{#if (and (eq a 1) (not none) (ne b "y") (gt 3 a) (lt a 3))}}yes{{/if}}', view)).toBe('yes')
    expect(render('{{#if (or empty none)}}yes{{else}}no{{/if}}', view)).toBe('no')
    expect(
      render('{{line (join list ",")}} {{line (concat b a)}} {{conf (cidr six)}} {{conf (lookup list 1)}}', view),
    ).toBe('p,q x1 fd00::1/128 q')
    expect(render('{{#each list}}{{@index}}{{line this}}{{line @root.b}}{{line ../b}} {{/each}}', view)).toBe(
      '0pxx 1qxx ',
    )
    expect(render('{{line (exec "node a.js")}} {{line (exec "a && b")}} {{line (exec "A=1 b")}}', view)).toBe(
      'exec node a.js a && b A=1 b',
    )
  })

  test('a number and a boolean may stand bare; a text and a name that is not there may not', () => {
    expect(render('{{n}} {{b}}', { n: 5, b: false })).toBe('5 false')
    expect(() => render('{{s}}', { s: 'x' })).toThrow('x.hbs:1:1: {{s}}: is a text: write it through a helper')
    expect(() => render('\n{{line s}}', {})).toThrow('x.hbs:2:')
  })

  test('templates reach own properties only', () => {
    for (const path of ['constructor', '__proto__', 'a.constructor', 'toString']) {
      expect(() => render(`{{line ${path}}}`, { a: {} })).toThrow(/not given|found nothing|not defined/)
    }
  })
})

test("inline contents are Handlebars too, so that ${...} in them is the shell's own", () => {
  const source = recipe('resources: [{ file: /etc/x, content: "echo ${HOME} {{sh component}}" }]')
  expect(program(source).text).toContain(`printf %s 'echo \${HOME} '\\''web'\\'''`)
})
