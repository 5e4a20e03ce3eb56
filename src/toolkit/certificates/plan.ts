import { isIP } from 'node:net'
import type { ToolkitPlan } from '../contract.ts'
import { isWildcard } from './hosts.ts'
import { builtIn, type CertificatesSpec } from './schema.ts'

interface Problem {
  path: string
  message: string
  found?: string
  allowed?: string[]
}

/** Names there twice, issuers that are not there, hosts that their issuer cannot prove. */
export function validate({ issuers, certificates }: CertificatesSpec): Problem[] {
  const problems: Problem[] = []
  const known = issuers.map(({ name }) => name)
  for (const [i, name] of known.entries())
    if (known.indexOf(name) < i)
      problems.push({ path: `issuers.${i}.name`, message: `${name} is there twice`, found: name })
  const names = certificates.map(({ name }) => name)
  for (const [i, { name, issuer, hosts }] of certificates.entries()) {
    const path = `certificates.${i}`
    if (names.indexOf(name) < i) problems.push({ path: `${path}.name`, message: `${name} is there twice`, found: name })
    const acme = issuers.find((candidate) => candidate.name === issuer)?.acme
    const allowed = [...builtIn, ...known]
    if (!allowed.includes(issuer))
      problems.push({ path: `${path}.issuer`, message: `there is no issuer ${issuer}`, found: issuer, allowed })
    if (acme)
      for (const [j, host] of hosts.entries())
        if (isIP(host) || !host.includes('.'))
          problems.push({
            path: `${path}.hosts.${j}`,
            message: `${issuer} proves domain names by ${acme.challenge}: ${host} is none`,
            found: host,
          })
        else if (isWildcard(host) && acme.challenge === 'http-01')
          problems.push({
            path: `${path}.hosts.${j}`,
            message: `a wildcard is proved by dns-01 only, and ${issuer} has http-01`,
            found: host,
          })
  }
  return problems
}

/** It has no machines: certificates are rows, which the machines that use them are configured from. */
export function plan(): ToolkitPlan {
  return { components: [], members: [] }
}
