/** Which security groups rules of other groups refer to. */
export function groupUse() {
  const referring = new Map<string, Set<string>>()
  return {
    /** A call that succeeded. */
    saw(call: string, parameters: URLSearchParams): void {
      const group = parameters.get('GroupId') ?? ''
      if (call === 'DeleteSecurityGroup') referring.delete(group)
      const own = referring.get(group) ?? new Set()
      for (const [key, value] of parameters) {
        if (!/^IpPermissions\.\d+\.Groups\.\d+\.GroupId$/.test(key)) continue
        if (call === 'AuthorizeSecurityGroupIngress') referring.set(group, own.add(value))
        if (call === 'RevokeSecurityGroupIngress') own.delete(value)
      }
    },
    isReferredTo: (id: string) => [...referring].some(([group, others]) => group !== id && others.has(id)),
  }
}
