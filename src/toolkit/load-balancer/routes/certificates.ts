import { z } from 'zod'
import { KitbagError } from '../../../model/errors.ts'
import type { ToolkitRoute } from '../../contract.ts'
import { certificateInForce } from '../certificates.ts'
import type { LoadBalancerSpec } from '../schema.ts'

const certificateSchema = z.object({
  node: z.string().describe('Load balancer machine that shows it to clients'),
  name: z.string(),
  subject: z.string(),
  issuer: z.string(),
  names: z.array(z.string()).describe('Host names that it is good for'),
  notBefore: z.string(),
  notAfter: z.string().describe('ISO 8601; empty when there is none'),
  fingerprint: z.string().describe('SHA-1, hexadecimal'),
  error: z.string().describe('Why there is none; empty when there is'),
})

const none = { subject: '', issuer: '', names: [], notBefore: '', notAfter: '', fingerprint: '' }

export const certificatesRoute: ToolkitRoute<LoadBalancerSpec> = {
  id: 'certificates',
  method: 'get',
  path: '/certificates',
  summary: 'Certificates as every node shows them to clients',
  response: z.object({ certificates: z.array(certificateSchema) }),
  cli: [{ name: 'certificates', summary: 'Show certificates in force' }],
  async read({ spec, reach, machines }) {
    const names = [...new Set(spec.listeners.flatMap(({ certificates = [] }) => certificates))].sort()
    const all = machines.flatMap((node) => names.map((name) => ({ node, name })))
    return {
      certificates: await Promise.all(
        all.map(async ({ node, name }) => {
          const entry = { node: node.name, name }
          try {
            const found = await certificateInForce(reach, node, name)
            if (!found) return { ...entry, ...none, error: `${node.name} has no certificate ${name}` }
            const { chain: _, ...shown } = found
            return { ...entry, ...shown, error: '' }
          } catch (error) {
            if (!(error instanceof KitbagError)) throw error
            return { ...entry, ...none, error: error.message }
          }
        }),
      ),
    }
  },
}
