/** Of nobody's. */
export const unknownKey = 'AKIANOBODY'

/** Which access keys EC2 refuses, and as what. */
export function accessKeys() {
  const lives = new Map<string, number>()
  return {
    /** A key is refused once it has asked for so many machines. */
    expireAfter: (key: string, machines: number) => void lives.set(key, machines),
    renewAll: () => lives.clear(),
    /** The code with which this call is refused, if it is. */
    refuse(key: string, call: string): string | undefined {
      if (key === unknownKey) return 'AuthFailure'
      const left = lives.get(key)
      if (left === undefined) return undefined
      if (left <= 0) return 'ExpiredToken'
      if (call === 'RunInstances') lives.set(key, left - 1)
      return undefined
    },
  }
}
