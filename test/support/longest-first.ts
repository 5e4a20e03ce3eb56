import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take minutes. The one that began last would go on alone while the other workers have nothing left. */
const longest: string[] = []

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
