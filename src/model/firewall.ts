/**
 * Who may come: `users`: machines of components that refer to the component; `observers`: of those that only look at it (monitoring);
 * `peers`: the other machines of the component itself.
 */
export type Audience = 'anyone' | 'users' | 'observers' | 'peers'

/** A port that something on a machine listens on, beside SSH, and who may come to it. */
export interface Opening {
  /** `vrrp`: machines that share an address tell each other who has it, by multicast; it has no ports. */
  protocol: 'tcp' | 'udp' | 'vrrp'
  /** Absent: the component's own port, and of `vrrp`. */
  port?: number
  from: Audience
}

/** Who an admission lets in: a network (CIDR, either family), or all machines of a component. */
export type AdmissionSource = { network: string } | { component: string }

/** What may come to a component's machines beside SSH, before addresses are known. */
export interface Admission {
  protocol: Opening['protocol']
  /** Absent of `vrrp`. */
  port?: number
  sources: AdmissionSource[]
}

/** What may come to machines at a cloud, as its own firewall is told: ports of one protocol, from somebody. */
export interface FirewallRule {
  protocol: 'tcp' | 'udp'
  /** First and last port, 1 to 65535. */
  from: number
  to: number
  /** Components are those of the same deployment and cloud, by name. */
  sources: AdmissionSource[]
}

/** Everybody, in both families. */
export const everywhere: AdmissionSource[] = [{ network: '0.0.0.0/0' }, { network: '::/0' }]
