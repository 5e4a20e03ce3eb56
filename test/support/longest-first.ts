import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take minutes. The one that began last would go on alone while the other workers have nothing left. */
const longest = [
  'chaos/kill.test.ts',
  'clouds/aws-crashes.test.ts',
  'clouds/azure-crashes.test.ts',
  'clouds/import.test.ts',
  'toolkit/monitoring.test.ts',
  'clouds/two-clouds-guestbook.test.ts',
  'clouds/azure-guestbook.test.ts',
  'clouds/aws-guestbook.test.ts',
  'clouds/local-guestbook.test.ts',
  'clouds/ssh-guestbook.test.ts',
  'clouds/aws-static-address.test.ts',
  'clouds/azure-static-address.test.ts',
  'toolkit/dns-nodes.test.ts',
  'toolkit/healing.test.ts',
  'demo.test.ts',
  'toolkit/rolling.test.ts',
  'toolkit/sharing.test.ts',
  'faults/healing-returns.test.ts',
  'faults/control-plane-away.test.ts',
  'toolkit/balancer-nodes.test.ts',
]

/** Long files first, in the order above; the others as Vitest orders them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((name) => moduleId.endsWith(name))
      return index < 0 ? longest.length : index
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
