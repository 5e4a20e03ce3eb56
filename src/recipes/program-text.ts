import { sh } from '../lib/sh.ts'
import type { Facts, Notification, RuntimePart, Step } from './resources/type.ts'
import { runtimeText } from './runtime/parts.ts'

/** Everything that is written out as one host program. */
export interface ProgramParts {
  nonce: string
  mode: 'apply' | 'check'
  steps: Step[]
  notifications: (Notification & { suppressed: boolean })[]
  /** What belongs in a folder of traces: any other that is there is taken away first. Absent: none is. */
  traces?: { folder: string; names: string[] }
  /** A file that a program before this one may have left, and that nobody needs any more. */
  outdated?: string
  /** Everything is listed on the machine before it is put there, so that it can be taken away. */
  manifest?: boolean
}

/** Text for inside a JSON string, kept on one line. */
function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** `reload:haproxy.service` */
export function notificationName({ verb, unit }: Notification): string {
  return `${verb}:${unit}`
}

/**
 * The program: one function that is called on the last line, in braces, so that a text cut off anywhere is no complete command and
 * runs nothing.
 */
export function programText({ nonce, mode, steps, notifications, traces, outdated, manifest }: ProgramParts): string {
  const facts = mergeFacts(steps)
  const needed = new Set<RuntimePart>(steps.flatMap(({ runtime }) => runtime))
  if (traces) needed.add('extras')
  if (manifest) needed.add('manifest')
  return [
    'kitbag_program() {',
    sh`N=${nonce} MODE=${mode}`.text,
    runtimeText(needed).trimEnd(),
    ...factFunctions(facts, needed),
    'kb_begin',
    ...(manifest ? manifestLines(facts, notifications) : []),
    ...(traces
      ? [sh`[ ! -d ${traces.folder} ] || kb_extras ${traces.folder} ${` ${traces.names.join(' ')} `}`.text]
      : []),
    ...(outdated !== undefined ? [sh`[ ! -e ${outdated} ] || rm -f ${outdated}`.text] : []),
    ...steps.flatMap((step, index) => stepLines(step, index, steps[index + 1])),
    ...(needed.has('service') || traces ? ['kb_reload_units last'] : []),
    ...notifications.flatMap((notification, index) => [
      sh`kb_at ${steps.length + index} ${jsonText(notificationName(notification))}`.text,
      sh`kb_fire ${notification.verb} ${notification.unit} ${notification.suppressed ? 1 : 0}`.text,
    ]),
    'kb_end',
    '}',
    '{ kitbag_program; exit; }',
    '',
  ].join('\n')
}

function stepLines(step: Step, index: number, next: Step | undefined): string[] {
  const names = (step.notify ?? []).map(notificationName).join(' ')
  const script = step.facts?.units ? `kb_reload_units\n${step.script}` : step.script
  return [
    sh`kb_at ${index} ${jsonText(step.resource)}${names ? sh` ${names}` : sh``}`.text,
    script,
    ...(step.batch && next?.batch !== step.batch ? [step.batch] : []),
  ]
}

/** Before the extras of an earlier release go: they are on the list since they came. */
function manifestLines({ paths, makes, users, groups, units }: Required<Facts>, notified: Notification[]): string[] {
  return [
    'kb_manifest',
    sh`kb_list_paths ${[...paths, ...makes]}`.text,
    sh`kb_list_accounts user /etc/passwd ${users}`.text,
    sh`kb_list_accounts group /etc/group ${groups}`.text,
    sh`kb_list_units ${[...new Set([...units, ...notified.map(({ unit }) => unit)])]}`.text,
    'kb_listed',
  ]
}

function mergeFacts(steps: Step[]): Required<Facts> {
  const all = steps.map(({ facts }) => facts ?? {})
  const unique = (lists: (string[] | undefined)[]) => [...new Set(lists.flatMap((list) => list ?? []))]
  return {
    packages: unique(all.map(({ packages }) => packages)),
    paths: unique(all.map(({ paths }) => paths)),
    makes: unique(all.map(({ makes }) => makes)),
    sums: Object.fromEntries(all.flatMap(({ sums }) => Object.entries(sums ?? {}))),
    users: unique(all.map(({ users }) => users)),
    groups: unique(all.map(({ groups }) => groups)),
    units: unique(all.map(({ units }) => units)),
  }
}

function factFunctions(facts: Required<Facts>, needed: ReadonlySet<RuntimePart>): string[] {
  const functions: string[] = []
  if (needed.has('package')) {
    functions.push(
      'kb_packages() {',
      'DS=1',
      sh`D=$nl$(dpkg-query -W -f=${'${db:Status-Status} ${Package} ${Version}\\n'} ${facts.packages} 2>/dev/null)$nl`
        .text,
      '}',
    )
  }
  if (needed.has('path')) {
    const sums = Object.entries(facts.sums)
    functions.push(
      'kb_stat() {',
      'FS=1',
      sh`F=$nl$(stat -c '%n|%f|%U:%G|%N' -- ${facts.paths} 2>/dev/null)$nl S= H=`.text,
      ...sums.map(([path, sum]) => sh`kb_want ${sum} ${path}`.text),
      ...(sums.length > 0
        ? ['[ -z "$S" ] || H=$nl$(sha256sum -c 2>/dev/null <<KITBAG_SUMS\n${S#?}\nKITBAG_SUMS\n)$nl']
        : []),
      '}',
    )
  }
  if (needed.has('account')) functions.push(...accountFunctions(facts))
  if (facts.units.length > 0) {
    functions.push(
      'kb_units() {',
      'US=1 U=$nl',
      sh`set -- $(systemctl is-active -- ${facts.units} 2>/dev/null)`.text,
      ...facts.units.map((unit) => sh`U="$U"${unit}"=\${1-}$nl"; [ $# = 0 ] || shift`.text),
      '}',
    )
  }
  return functions
}

/** One pass over each file, by builtins; /etc/group only where a group is looked at. */
function accountFunctions({ users, groups }: Required<Facts>): string[] {
  const read = (name: string, list: string, names: string[], file: string) => [
    `${name}() {`,
    `${list}S=1 ${list}=$nl`,
    `while IFS= read -r l; do case $l in ${names.map((one) => `${one}:*`).join('|') || ':'}) ${list}=$${list}$l$nl ;; esac; done <${file}`,
    '}',
  ]
  return [...read('kb_users', 'Y', users, '/etc/passwd'), ...read('kb_groups', 'Z', groups, '/etc/group')]
}
