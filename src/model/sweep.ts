/** What a sweep found beyond what the database knows; `removed` ones are gone. */
export interface SweepReport {
  machines: { id: string; name: string; cloud: string; deployment?: string; removed: boolean }[]
  /** Static addresses that no machine has or is to have. */
  addresses: { address: string; name: string; cloud: string; deployment: string; removed: boolean }[]
  /** Left beside machines: bridges, mounts, rules. */
  residue: string[]
}
