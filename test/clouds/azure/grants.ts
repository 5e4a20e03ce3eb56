import { ArmError } from './arm-error.ts'

/** What the account may do; actions may hold `*`. */
export interface Grants {
  actions: string[]
  notActions: string[]
}

export function allows({ actions, notActions }: Grants, action: string): boolean {
  const covers = (patterns: string[]) =>
    patterns.some((pattern) =>
      new RegExp(`^${pattern.replace(/[.]/g, '\\.').replaceAll('*', '.*')}$`, 'i').test(action),
    )
  return covers(actions) && !covers(notActions)
}

/** Throws as Azure refuses; `linked`: an action on another resource than the one that is written. */
export function authorize(grants: Grants, action: string, scope: string, linked?: string): void {
  if (allows(grants, action)) return
  const client =
    "The client '11111111-0000-0000-0000-000000000000' with object id '22222222-0000-0000-0000-000000000000'"
  if (linked !== undefined) {
    throw new ArmError(
      403,
      'LinkedAuthorizationFailed',
      `${client} has permission to perform action 'Microsoft.Network/networkInterfaces/write' on scope '${scope}'; however, it does not have permission to perform action(s) '${action}' on the linked scope(s) '${linked}' (respectively) or the linked scope(s) are invalid.`,
    )
  }
  throw new ArmError(
    403,
    'AuthorizationFailed',
    `${client} does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  )
}
