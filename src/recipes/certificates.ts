import { sh } from '../lib/sh.ts'
import { certificatesFolder } from './places.ts'
import { fileResource } from './resources/file.ts'
import type { Step } from './resources/type.ts'

/** Where a component's list is. */
export const certificatesList = (component: string): string => `${certificatesFolder}/${component}`

/**
 * Notes on the machine which files of a component hold certificates, wherever its recipes put them, so that their end can be watched. It comes
 * after the files, and is another text as soon as one of the certificates is another: who watches begins then. None where there are none. A note
 * that is not there is no drift: no check looks for it.
 */
export function certificateSteps(component: string, steps: Step[]): Step[] {
  const lines = steps.flatMap(({ certificates }) =>
    certificates ? `${certificates.digest} ${certificates.path}\n` : [],
  )
  if (lines.length === 0) return []
  const text = { bytes: Buffer.from(lines.join('')), sensitive: false }
  const file = certificatesList(component)
  const fields = { file, mode: '0644', owner: 'root', group: 'root', sensitive: false, state: 'present' }
  // The folder above is made by whoever needs it first, also in the middle of a program: so it is no resource.
  const folder = sh`[ -d ${certificatesFolder} ] || kb_run mkdir -p ${certificatesFolder}`.text
  return fileResource.compile({ fields, texts: { text }, phase: 'configure', mode: 'apply' }).map((step) => ({
    ...step,
    unchecked: true,
    facts: { ...step.facts, makes: [certificatesFolder] },
    script: `${folder}\n${step.script}`,
  }))
}
